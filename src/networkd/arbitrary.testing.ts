/** Random signatures, with random values that fit them. */
import fc from 'fast-check';
import type { Value } from './wire.ts';

/** One complete type, and how its values are made. */
export interface Sample {
  readonly signature: string;
  readonly value: fc.Arbitrary<Value>;
}

const name = fc.stringMatching(/^[A-Za-z0-9_]{1,8}$/);
const path = fc.array(name, { maxLength: 4 }).map((names) => `/${names.join('/')}`);
const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((value) => !value.includes('\0'));
const signature = fc.constantFrom('', 's', 'a{sv}', 'aay', '(ii(d))', 'a{y(ba{ov})}', 'sa{sv}as');
const integer = (min: number, max: number): fc.Arbitrary<Value> => fc.integer({ min, max });

const BASIC: readonly Sample[] = [
  { signature: 'y', value: integer(0, 0xff) },
  { signature: 'b', value: fc.boolean() },
  { signature: 'n', value: integer(-0x8000, 0x7fff) },
  { signature: 'q', value: integer(0, 0xffff) },
  { signature: 'i', value: integer(-0x80000000, 0x7fffffff) },
  { signature: 'u', value: integer(0, 0xffffffff) },
  { signature: 'x', value: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) },
  { signature: 't', value: fc.bigInt(0n, 2n ** 64n - 1n) },
  { signature: 'd', value: fc.double() },
  { signature: 's', value: text },
  { signature: 'o', value: path },
  { signature: 'g', value: signature },
];

const basic = fc.constantFrom(...BASIC);

const { sample } = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    basic,
    tie('sample').map((of) => ({
      signature: `a${of.signature}`,
      value: of.signature === 'y' ? fc.uint8Array({ maxLength: 20 }) : fc.array(of.value, { maxLength: 4 }),
    })),
    fc.tuple(basic, tie('sample')).map(([key, of]) => ({
      signature: `a{${key.signature}${of.signature}}`,
      value: fc.array(fc.tuple(key.value, of.value), { maxLength: 4 }).map((rows) => new Map(rows)),
    })),
    fc.array(tie('sample'), { minLength: 1, maxLength: 4 }).map((fields) => ({
      signature: `(${fields.map((field) => field.signature).join('')})`,
      value: fc.tuple(...fields.map((field) => field.value)),
    })),
    tie('sample').map((of) => ({
      signature: 'v',
      value: of.value.map((value) => ({ signature: of.signature, value })),
    })),
  ),
}));

/** Values of one signature. */
export const anyBody: fc.Arbitrary<{ readonly signature: string; readonly body: readonly Value[] }> = fc
  .array(sample, { maxLength: 4 })
  .filter((samples) => samples.reduce((sum, { signature: { length } }) => sum + length, 0) <= 255)
  .chain((samples) =>
    fc.tuple(...samples.map((each) => each.value)).map((body) => ({
      signature: samples.map((each) => each.signature).join(''),
      body,
    })),
  );
