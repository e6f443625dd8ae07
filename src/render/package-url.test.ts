import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EverlanError } from '../model/problem.ts';
import { readPackageUrl } from './package-url.ts';

const SHA = 'ab'.repeat(32);

const good = [
  {
    in: 'https://example.net/everlan.deb',
    want: { url: 'https://example.net/everlan.deb', sha256: null, scheme: 'https' },
  },
  {
    in: `http://example.net/x/everlan_1.0_amd64.deb#sha256=${SHA.toUpperCase()}`,
    want: { url: 'http://example.net/x/everlan_1.0_amd64.deb', sha256: SHA, scheme: 'http' },
  },
  {
    in: `https://example.net/everlan.deb?a=b#sha256=${SHA}`,
    want: { url: 'https://example.net/everlan.deb?a=b', sha256: SHA, scheme: 'https' },
  },
  { in: 'file:///root/everlan.deb', want: { url: 'file:///root/everlan.deb', sha256: null, scheme: 'file' } },
  {
    in: "https://example.net/it's $(x).deb",
    want: { url: "https://example.net/it's%20$(x).deb", sha256: null, scheme: 'https' },
  },
];

for (const { in: text, want } of good) {
  test(text, () => assert.deepEqual(readPackageUrl(text), want));
}

const bad = [
  { in: 'everlan.deb', says: /is no URL/ },
  { in: 'ftp://example.net/everlan.deb', says: /cannot be ftp:/ },
  { in: 'https://example.net/everlan.rpm', says: /leads to no \.deb/ },
  { in: 'https://example.net/everlan.deb#sha256=12', says: /64 digits/ },
  { in: `https://example.net/everlan.deb#sha512=${SHA}`, says: /64 digits/ },
  { in: 'http://example.net/everlan.deb', says: /over http needs #sha256=/ },
];

for (const { in: text, says } of bad) {
  test(`refused: ${text}`, () => {
    assert.throws(
      () => readPackageUrl(text),
      (error) => error instanceof EverlanError && error.exitCode === 2 && says.test(error.message),
    );
  });
}
