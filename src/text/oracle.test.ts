/** A second, independent YAML reader must read the same values from whatever the first one accepts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDocument } from 'yaml';
import { readDocument } from './document.ts';

function other(text: string): unknown {
  const document = parseDocument(text, { uniqueKeys: false, merge: false, version: '1.2' });
  const [error] = document.errors;
  if (error !== undefined) throw error;
  return document.toJS({ mapAsMap: true, maxAliasCount: -1 });
}

const scalar = fc.oneof(
  fc.constantFrom(
    ...[
      '77',
      '077',
      '0x1f',
      '0o17',
      '1.5',
      '.5',
      '-.inf',
      '.NaN',
      '1e3',
      '+1',
      '-0',
      '~',
      'null',
      'Null',
      'true',
      'TRUE',
      'yes',
      'off',
    ],
    ...[
      '"77"',
      "'it''s'",
      '"\\u00e9\\t"',
      'a b',
      '10.0.0.4',
      '169.254.0.1/24',
      'fd00:77::2',
      'fd00::1/64',
      '2001:db8::',
      '02:00:5e:00:53:01',
    ],
    ...[
      '!!str 77',
      '!!int "77"',
      '! x',
      '値',
      '"a # b"',
      'a#b',
      '-x',
      '?x',
      ':x',
      '1_000',
      '12:30:45',
      '0b1',
      '0777',
      '1.',
      '<<',
      '=',
      '',
    ],
  ),
  fc.integer().map(String),
  fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/),
  fc.string({ maxLength: 8 }).map((s) => JSON.stringify(s)),
);

const flow: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    scalar.filter((s) => s !== '' && !/^[?:]|^! /.test(s)),
    fc.array(tie('node'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), tie('node'), { maxKeys: 3 }).map(
      (map) =>
        `{${Object.entries(map)
          .map(([k, v]) => `${k}: ${v}`)
          .join(', ')}}`,
    ),
  ),
})).node;

const block: fc.Arbitrary<string> = fc
  .uniqueArray(
    fc.tuple(fc.stringMatching(/^[a-z0-9]{1,6}$/), fc.oneof(scalar, flow), fc.constantFrom('', ' # c', '\t')),
    {
      minLength: 1,
      maxLength: 6,
      selector: ([key]) => key,
    },
  )
  .chain((rows) =>
    fc.tuple(fc.constantFrom('\n', '\r\n'), fc.constantFrom('', '\ufeff', '---\n', '# c\n')).map(([eol, head]) => {
      const lines = rows.flatMap(([k, v, c], i) =>
        i % 2 === 0 ? [`${k}: ${v}${c}`] : [`${k}:`, `  in: ${v}${c}`, `  list:`, `  - ${v}`],
      );
      return head + lines.join(eol) + eol;
    }),
  );

/**
 * -0 and 0 are one value to everybody but JavaScript. A number too large for a double is Infinity for one reader and
 * text for the other: no key of ours takes either.
 */
function plain(value: unknown): unknown {
  if (value instanceof Map) return [...value].map(([k, v]) => [plain(k), plain(v)]);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'string' && /^[-+]?[\d.]+e\+?\d+$/i.test(value) && !Number.isFinite(Number(value)))
    return Number(value);
  return Object.is(value, -0) ? 0 : value;
}

test('both readers read the same values', () => {
  let read = 0;
  fc.assert(
    fc.property(block, (text) => {
      const ours = readDocument(new TextEncoder().encode(text), 'f');
      if (!ours.ok) return;
      read++;
      assert.deepEqual(plain(ours.document.value), plain(other(text)), text);
    }),
    { numRuns: 500 },
  );
  assert.ok(read > 250, `only ${read} of 500 texts were accepted`);
});

test('random text and random bytes never throw', () => {
  const shreds = fc.array(
    fc.constantFrom(
      'a',
      ':',
      ' ',
      '\n',
      '-',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '#',
      '&a',
      '*a',
      '|',
      '>',
      '\t',
      '?',
      '!',
      '%',
      '\r',
      '---\n',
      ',',
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        shreds.map((s) => new TextEncoder().encode(s.join(''))),
        fc.uint8Array({ maxLength: 60 }),
      ),
      (bytes) => {
        const result = readDocument(bytes, 'f');
        if (!result.ok) assert.ok(result.problems.length > 0);
      },
    ),
    { numRuns: 2000 },
  );
});
