import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { load } from 'js-yaml';
import { parse } from 'yaml';
import { userData } from './user-data.ts';

interface WriteFile {
  readonly path: string;
  readonly permissions: string;
  readonly content: string;
  readonly encoding?: string;
}

interface CloudConfig {
  readonly packages?: readonly string[];
  readonly write_files: readonly WriteFile[];
  readonly runcmd: readonly (readonly string[])[];
}

/** As cloud-init reads it, a reader of YAML 1.1. */
function read(text: string): CloudConfig {
  const config: CloudConfig = parse(text, { version: '1.1', prettyErrors: false });
  assert.deepEqual(load(text), config);
  return config;
}

const contentOf = ({ content, encoding }: WriteFile): string =>
  encoding === 'b64' ? Buffer.from(content, 'base64').toString('utf8') : content;

const SIGNS = [
  '\n',
  ' ',
  '\t',
  '\r',
  '#',
  ':',
  '- ',
  '"',
  "'",
  '\\',
  '%',
  '&',
  'é',
  '\u0085',
  '\u2028',
  '\ufeff',
  '😀',
  'a',
];
const text = fc.string({ unit: fc.constantFrom(...SIGNS), maxLength: 20 });
const word = fc.string({ unit: fc.constantFrom(...SIGNS, '\0', '\u007f', '\ud800'), maxLength: 8 });

test('what is written is read back, whatever is in it', () => {
  const file = fc.record({ path: word, text, mode: fc.constantFrom(0o644, 0o755, 0o600) });
  fc.assert(
    fc.property(
      fc.array(text),
      fc.array(word),
      fc.array(file, { minLength: 1 }),
      fc.array(fc.array(word, { minLength: 1 }), { minLength: 1 }),
      (comments, packages, files, commands) => {
        const config = read(userData(comments, packages, files, commands));
        assert.deepEqual(config.packages ?? [], packages);
        assert.deepEqual(config.runcmd, commands);
        assert.deepEqual(
          config.write_files.map(({ path, permissions }) => [path, permissions]),
          files.map(({ path, mode }) => [`/${path}`, `0${mode.toString(8)}`]),
        );
        assert.deepEqual(
          config.write_files.map(contentOf),
          files.map((each) => each.text),
        );
      },
    ),
  );
});

test('a script stands in it as it is', () => {
  const script = '#!/bin/sh\n\nif true; then\n  echo "x: y"  # é\nfi\n';
  assert.match(userData([], [], [{ path: 'a', text: script, mode: 0o755 }], []), /content: \|\n {6}#!\/bin\/sh\n\n/);
});
