import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { IpAddress, Prefix } from '../model/address.ts';
import { OPTION_NAMES } from '../model/options.ts';
import { readText } from '../text/document.ts';
import type { YamlScalar, YamlValue } from '../text/value.ts';
import { type FabricFile, type FileHost, type FileOverlay, isPlain, valuesOf, writeFabric } from './write.ts';

/** Signs that mean something to YAML, and some that it does not take. */
const SIGNS = [...' :#\n“—', '\u00a0', '\u2028', '\ufeff', '\ufffd', '\ufffe', '\u{1f4a1}'];

/** What names and values may be, and what YAML might take for something else. */
const text = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 12 }) },
  { weight: 6, arbitrary: fc.stringMatching(/^[a-z0-9._/:-]{1,8}$/) },
  {
    weight: 6,
    arbitrary: fc.constantFrom('', 'true', 'NO', '0x10', '1e3', '~', '-', '? a', 'a: b', 'a #b', '"', '\\'),
  },
  { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom(...SIGNS), maxLength: 5 }) },
);
const address = text as fc.Arbitrary<IpAddress>;
const scalar = fc.oneof(text, fc.boolean(), fc.integer());
const maps = fc
  .array(fc.tuple(text, scalar), { maxLength: 4 })
  .map((entries) => new Map<YamlScalar, YamlValue>(entries));
const value: fc.Arbitrary<YamlValue> = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 30 }),
  fc.array(maps, { maxLength: 3 }),
  maps,
);

const notes = fc.array(fc.oneof(text, fc.string({ unit: 'grapheme-ascii', maxLength: 150 })), { maxLength: 2 });
const host: fc.Arbitrary<FileHost> = fc.record({
  name: text,
  underlay: address,
  device: fc.option(fc.option(text), { nil: undefined }),
  hostname: fc.option(text, { nil: undefined }),
  notes,
});
const PLAIN_HOST: FileHost = {
  name: 'twice',
  underlay: '10.0.0.1' as IpAddress,
  device: undefined,
  hostname: undefined,
  notes: [],
};
const overlay: fc.Arbitrary<FileOverlay> = fc.record({
  name: text,
  vni: fc.nat(),
  members: fc
    .array(fc.tuple(text, fc.array(text as fc.Arbitrary<string> as fc.Arbitrary<Prefix>, { maxLength: 3 })), {
      maxLength: 3,
    })
    .map((entries) => new Map(entries)),
  options: fc
    .array(fc.tuple(fc.constantFrom(...OPTION_NAMES), fc.option(value, { nil: undefined })), { maxLength: 5 })
    .map((entries) => new Map(entries)),
  from: text,
  notes,
});
const file: fc.Arbitrary<FabricFile> = fc.record({
  name: text,
  notes,
  hosts: fc.uniqueArray(host, { maxLength: 3, selector: ({ name }) => name }),
  overlays: fc.uniqueArray(overlay, { maxLength: 4, selector: ({ name }) => name }),
});

test('the text says the values', () => {
  fc.assert(
    fc.property(file, (made) => {
      const written = writeFabric(made);
      fc.pre(isPlain(written));
      const read = readText({ file: 'made', text: written });
      assert.ok(read.ok, written);
      assert.deepEqual(read.document.value, valuesOf(made));
    }),
    { numRuns: 500 },
  );
});

test('names that stand twice have no values', () => {
  const [one] = fc.sample(
    file.filter(({ overlays }) => overlays.length > 0),
    1,
  );
  assert.ok(one !== undefined);
  assert.equal(valuesOf({ ...one, overlays: [...one.overlays, ...one.overlays] }), null);
  assert.equal(valuesOf({ ...one, hosts: [...one.hosts, PLAIN_HOST, PLAIN_HOST] }), null);
});
