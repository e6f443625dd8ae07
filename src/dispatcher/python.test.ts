import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonObject, repr } from './python.ts';

test('json.dumps', () => {
  assert.equal(jsonObject({ b: ['x', 'é'], a: '"\n' }), '{"a": "\\"\\n", "b": ["x", "\\u00e9"]}');
  assert.equal(jsonObject({ a: [], B: '\u007f😀' }), '{"B": "\\u007f\\ud83d\\ude00", "a": []}');
});

test('repr', () => {
  assert.equal(repr("/etc/it's"), '"/etc/it\'s"');
  assert.equal(repr('a\nb\\\u0001'), "'a\\nb\\\\\\x01'");
});

const PYTHON = '/usr/bin/python3';
const DUMP = `
import json, sys
for line in sys.stdin:
    value = json.loads(line)
    print(json.dumps([json.dumps(value, sort_keys=True), [repr(k) for k in sorted(value)]]))
`;
const noPython = spawnSync(PYTHON, ['-c', ''], {}).status === 0 ? false : 'needs python3, the reference';

test('as Python itself writes it', { skip: noPython }, () => {
  const text = fc.string({
    unit: fc.constantFrom(...'aZ 9"\'\\/\n\t\u0000\u001f\u007f\u00e9\u2028'.split(''), '😀', 'λ'),
  });
  const values = fc.sample(fc.dictionary(text, fc.oneof(text, fc.array(text))), 300);
  const input = values.map((value) => JSON.stringify(value)).join('\n');
  const { stdout } = spawnSync(PYTHON, ['-c', DUMP], { input, encoding: 'utf8' });
  const lines = stdout.trimEnd().split('\n');
  assert.equal(lines.length, values.length);
  for (const [i, line] of lines.entries()) {
    const [json, keys]: [string, string[]] = JSON.parse(line);
    const value = values[i] ?? {};
    assert.equal(jsonObject(value), json);
    // Python shows unprintable characters beyond ASCII as escapes: paths with U+2028 in them are left to it.
    const plain = keys.filter((key) => !key.includes('u2028'));
    const ours = Object.keys(value)
      .map(repr)
      .filter((key) => !key.includes('\u2028'));
    assert.deepEqual(new Set(ours), new Set(plain));
  }
});
