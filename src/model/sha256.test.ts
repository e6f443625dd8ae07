import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { ownSha256, sha256 } from './sha256.ts';

test('the examples of FIPS 180-4', () => {
  assert.equal(ownSha256('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  assert.equal(ownSha256(''), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test('lengths round the ends of blocks', () => {
  for (const length of [54, 55, 56, 57, 63, 64, 65, 118, 119, 120, 127, 128, 1000]) {
    const text = 'x'.repeat(length);
    assert.equal(ownSha256(text), hash('sha256', text, 'hex'), String(length));
  }
});

test('any text has the hash that node:crypto gives it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      assert.equal(ownSha256(text), hash('sha256', text, 'hex'));
    }),
  );
});

test('few and many give the same', () => {
  for (let i = 0; i < 1000; i++) assert.equal(sha256(`host-${i}`), ownSha256(`host-${i}`));
});
