/** Values become bytes and the same values again; what does not fit is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyBody } from './arbitrary.testing.ts';
import { Reader, readValues } from './reader.ts';
import { parseSignature, WireError } from './signature.ts';
import type { Value } from './wire.ts';
import { Writer, writeValues } from './writer.ts';

function encode(signature: string, body: readonly Value[], little = true): Buffer {
  const writer = new Writer(little, 1);
  writeValues(writer, signature, body);
  return writer.written();
}

test('what was written is read again, in both byte orders and wherever it lies', () => {
  fc.assert(
    fc.property(anyBody, fc.boolean(), fc.nat(9), ({ signature, body }, little, before) => {
      const bytes = encode(signature, body, little);
      const around = Buffer.concat([Buffer.alloc(before, 0xff), bytes, Buffer.alloc(9, 0xff)]);
      const reader = new Reader(around, before, before + bytes.length, little);
      assert.deepEqual(readValues(reader, signature), body);
    }),
    { numRuns: 2000 },
  );
});

test('bytes, as the specification has them', () => {
  const cases: readonly { name: string; in: readonly [string, ...Value[]]; want: string; big?: string }[] = [
    { name: 'a number is aligned to its size', in: ['yu', 1, 2], want: '0100000002000000', big: '0100000000000002' },
    { name: 'int16', in: ['n', -2], want: 'feff', big: 'fffe' },
    { name: 'string', in: ['s', 'foo'], want: '03000000666f6f00', big: '00000003666f6f00' },
    { name: 'signature', in: ['g', 'ai'], want: '02616900' },
    { name: 'boolean', in: ['b', true], want: '01000000', big: '00000001' },
    { name: 'int64', in: ['x', -2n], want: 'feffffffffffffff', big: 'fffffffffffffffe' },
    { name: 'double', in: ['d', 1], want: '000000000000f03f', big: '3ff0000000000000' },
    { name: 'an empty array is padded to its elements', in: ['at', []], want: '0000000000000000' },
    { name: 'that padding is not counted', in: ['at', [5n]], want: '08000000000000000500000000000000' },
    { name: 'struct', in: ['y(y)', 1, [2]], want: '010000000000000002' },
    { name: 'variant', in: ['v', { signature: 'y', value: 7 }], want: '01790007' },
    { name: 'map', in: ['a{yy}', new Map([[1, 2]])], want: '02000000000000000102' },
  ];
  for (const { name, in: values, want, big } of cases) {
    const [signature, ...body] = values;
    assert.equal(encode(signature, body).toString('hex'), want, name);
    if (big !== undefined) assert.equal(encode(signature, body, false).toString('hex'), big, `${name}, big-endian`);
  }
});

test('values that do not fit are refused', () => {
  const cases: readonly { name: string; in: readonly [string, ...Value[]] }[] = [
    { name: 'too large for a byte', in: ['y', 256] },
    { name: 'below a byte', in: ['y', -1] },
    { name: 'int16', in: ['n', 0x8000] },
    { name: 'uint32', in: ['u', 2 ** 32] },
    { name: 'a fraction', in: ['i', 1.5] },
    { name: 'int64 as a number', in: ['x', 1] },
    { name: 'int64', in: ['x', 2n ** 63n] },
    { name: 'uint64', in: ['t', -1n] },
    { name: 'a string with a NUL', in: ['s', 'a\0b'] },
    { name: 'half a surrogate pair', in: ['s', '\ud800'] },
    { name: 'no path', in: ['o', '/a//b'] },
    { name: 'a path with an end', in: ['o', '/a/'] },
    { name: 'no signature', in: ['g', 'a'] },
    { name: 'a variant of two types', in: ['v', { signature: 'ss', value: '' }] },
    { name: 'a variant of none', in: ['v', { signature: '', value: '' }] },
    { name: 'a list for a map', in: ['a{ss}', []] },
    { name: 'a list for bytes', in: ['ay', [1]] },
    { name: 'a struct with too few fields', in: ['(ss)', ['a']] },
    { name: 'too few values', in: ['ss', 'a'] },
    { name: 'too many values', in: ['s', 'a', 'b'] },
  ];
  for (const { name, in: values } of cases) {
    const [signature, ...body] = values;
    assert.throws(() => encode(signature, body), WireError, name);
  }
});

test('signatures', () => {
  const good = [
    '',
    'a{sv}',
    'a(iso)',
    'aaay',
    '(a{y(v)})',
    'a'.repeat(32).concat('y'),
    '('.repeat(32).concat('y', ')'.repeat(32)),
  ];
  for (const each of good) assert.doesNotThrow(() => parseSignature(each), each);
  const bad = [
    ...['a', '(', ')', '()', '(i', '{sv}', 'a{sv', 'a{s}', 'a{svv}', 'a{vs}', 'a{(s)s}', 'h', 'z', 'é', 'a{', 'i)'],
    'a'.repeat(33).concat('y'),
    '('.repeat(33).concat('y', ')'.repeat(33)),
    'y'.repeat(256),
  ];
  for (const each of bad) assert.throws(() => parseSignature(each), WireError, each);
});

test('a variant in a variant, 64 deep and no deeper', () => {
  const nest = (levels: number): Value => {
    let value: Value = 1;
    let signature = 'y';
    for (let i = 0; i < levels; i++) {
      value = { signature, value };
      signature = 'v';
    }
    return value;
  };
  const deep = nest(64);
  assert.deepEqual(readValues(new Reader(encode('v', [deep]), 0, encode('v', [deep]).length), 'v'), [deep]);
  assert.throws(() => encode('v', [nest(65)]), WireError);
  const tooDeep = Buffer.from(`${'017600'.repeat(64)}01790007`, 'hex');
  assert.throws(() => readValues(new Reader(tooDeep, 0, tooDeep.length), 'v'), /containers in each other/);
});

test('bytes that are not what the specification says are refused', () => {
  const cases: readonly { name: string; in: readonly [signature: string, hex: string]; want: RegExp }[] = [
    { name: 'padding', in: ['yu', '0101000002000000'], want: /padding/ },
    { name: 'padding of an empty array', in: ['at', '0000000000000001'], want: /padding/ },
    { name: 'a boolean of 2', in: ['b', '02000000'], want: /boolean/ },
    { name: 'no NUL', in: ['s', '0100000061ff'], want: /NUL/ },
    { name: 'a NUL inside', in: ['s', '02000000610000'], want: /UTF-8/ },
    { name: 'half a character', in: ['s', '01000000c300'], want: /UTF-8/ },
    { name: 'an overlong character', in: ['s', '02000000c08000'], want: /UTF-8/ },
    { name: 'a longer string than there is', in: ['s', 'ffffffff6100'], want: /left/ },
    { name: 'an array beyond its end', in: ['au', '0800000001000000'], want: /left/ },
    { name: 'an array that ends inside an element', in: ['au', '060000000100000002000000'], want: /left/ },
    { name: 'an array of more than 64 MiB', in: ['ay', '01000004'], want: /allowed/ },
    { name: 'no path', in: ['o', '0100000061 00'.replace(' ', '')], want: /path/ },
    { name: 'no signature', in: ['g', '016100'], want: /signature/ },
    { name: 'a variant of nothing', in: ['v', '0000'], want: /signature/ },
    { name: 'a variant of two', in: ['v', '027979000102'], want: /signature/ },
    { name: 'more bytes than values', in: ['y', '0102'], want: /more/ },
    { name: 'no bytes', in: ['u', ''], want: /left/ },
  ];
  for (const { name, in: input, want } of cases) {
    const bytes = Buffer.from(input[1], 'hex');
    assert.throws(
      () => readValues(new Reader(bytes, 0, bytes.length), input[0]),
      (error) => {
        assert.ok(error instanceof WireError, name);
        assert.match(error.message, want, name);
        return true;
      },
    );
  }
});
