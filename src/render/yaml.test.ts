import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CORE_SCHEMA, load } from 'js-yaml';
import { parse } from 'yaml';
import { type Yaml, type YamlMap, yamlFile } from './yaml.ts';

const map = (...entries: [string, Yaml][]): YamlMap => new Map(entries);

const CASES: readonly { name: string; in: YamlMap; want: string }[] = [
  {
    name: 'maps are blocks, lists are not',
    in: map([
      'network',
      map(['version', 2], ['tunnels', map(['vxlan0', map(['addresses', ['10.0.0.1/24', 'fd00::1/64']])])]),
    ]),
    want: 'network:\n  version: 2\n  tunnels:\n    vxlan0:\n      addresses: [10.0.0.1/24, "fd00::1/64"]\n',
  },
  {
    name: 'a list of maps has a line for each',
    in: map(['routes', [map(['to', '10.0.0.0/8'], ['via', '10.0.0.1'])]]),
    want: 'routes:\n  - {to: 10.0.0.0/8, via: 10.0.0.1}\n',
  },
  { name: 'nothing in it', in: map(['a', []], ['b', map()]), want: 'a: []\nb: {}\n' },
  { name: 'words that YAML 1.1 takes', in: map(['on', 'no'], ['y', 'Null']), want: '"on": "no"\n"y": "Null"\n' },
  { name: 'numbers that are names', in: map(['10', '0x10'], ['9', '1e3']), want: '"10": "0x10"\n"9": "1e3"\n' },
  {
    name: 'MACs are no sexagesimal numbers',
    in: map(['mac', '02:00:00:00:00:01']),
    want: 'mac: "02:00:00:00:00:01"\n',
  },
  { name: 'beyond ASCII', in: map(['a', 'é😀']), want: 'a: "\\u00e9\\U0001f600"\n' },
];

for (const { name, in: value, want } of CASES) {
  test(name, () => assert.equal(yamlFile([], value), want));
}

test('comments stay on their line', () => {
  assert.equal(yamlFile(['from a\nb: c'], map(['d', 1])), '# from a?b: c\nd: 1\n');
});

test('control characters are refused', () => {
  for (const bad of ['a\nb', '\u0000', '\u0085', '\u2028', '\u007f', '\ud800']) {
    assert.throws(() => yamlFile([], map([bad, 1])), { name: 'EverlanError' });
    assert.throws(() => yamlFile([], map(['a', [bad]])), { name: 'EverlanError' });
  }
});

/** Signs that mean something to YAML, and words that it takes for something else. */
const hostile = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'ab01:#-?[]{},&*!|>\'"%@` \\=~.+_/<$()'), maxLength: 12 }),
  fc.constantFrom('yes', 'No', 'null', '~', '', '0o7', '1_000', '.inf', '.NaN', '1:30', '2001-01-01', '<<', '=', '---'),
  fc.string({ unit: 'binary', maxLength: 8 }).filter((text) => !/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(text)),
);

const scalar: fc.Arbitrary<Yaml> = fc.oneof(hostile, fc.boolean(), fc.integer());
const tree: fc.Arbitrary<Yaml> = fc.letrec<{ tree: Yaml }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.array(fc.tuple(hostile, tie('tree')), { maxLength: 3 }).map((entries): Yaml => new Map(entries)),
  ),
})).tree;

const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map)
    return Object.assign(Object.create(null), Object.fromEntries([...value].map(([k, v]) => [k, plain(v)])));
  if (typeof value === 'object' && value !== null) return plain(new Map(Object.entries(value)));
  return value;
};

test('readers of YAML 1.1 and 1.2 read what was written', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(hostile, tree), { minLength: 1, maxLength: 4 }), (entries) => {
      const value = new Map(entries);
      const text = yamlFile(['a comment'], value);
      assert.deepEqual(plain(load(text, { schema: CORE_SCHEMA })), plain(value));
      assert.deepEqual(plain(parse(text, { version: '1.1', merge: false })), plain(value));
    }),
    { numRuns: 1000 },
  );
});
