import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADDRESS } from './address.ts';
import { BRIDGE, BRIDGE_PORT, LINK, VXLAN } from './link.ts';
import { NEIGHBOUR } from './neighbour.ts';
import { ROUTE } from './route.ts';
import { decodeDatagram, encodeDatagram, plain, writable } from './vectors/datagram.ts';
import { capturedVectors } from './vectors/files.ts';
import type { Table } from './wire.ts';

const VECTORS = capturedVectors();
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

for (const { file, name, bytes, decoded, hex, exact } of VECTORS) {
  test(`${file}: ${name}`, () => {
    const messages = decodeDatagram(bytes);
    assert.deepEqual(plain(messages), decoded);
    const encoded = encodeDatagram(writable(messages));
    assert.equal(encoded.length % 4, 0);
    assert.deepEqual(decodeDatagram(encoded), writable(messages));
    assert.equal(hexOf(encoded) === hex, exact);
  });
}

test('two thirds of the requests are made to the byte', () => {
  const requests = VECTORS.filter(({ name }) => !name.includes(': answer'));
  const exact = requests.filter((vector) => vector.exact);
  assert.ok(exact.length >= (requests.length * 2) / 3, `${exact.length} of ${requests.length}`);
});

/** Tables by where their values stand in a vector. */
const TABLES: Readonly<Record<string, Table>> = {
  link: LINK,
  vxlan: VXLAN,
  bridge: BRIDGE,
  bridgePort: BRIDGE_PORT,
  address: ADDRESS,
  neighbour: NEIGHBOUR,
  route: ROUTE,
};

/** Rows that no vector shows, and why. */
const UNSEEN = new Map([
  ['vxlan.remcsumNoPartial', 'ip has no word for it, and the kernel tells it only when it is set'],
  ['vxlan.mcRoute', 'newer than the iproute2 and kernel of the capture'],
]);

test('every attribute of the tables stands in a vector', () => {
  const seen = new Set<string>();
  const visit = (value: unknown, place: string): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      seen.add(`${place}.${key}`);
      visit(item, key === 'attributes' ? place : key);
    }
  };
  for (const { decoded } of VECTORS) visit(decoded, '');
  const all = Object.entries(TABLES).flatMap(([place, rows]) => Object.keys(rows).map((row) => `${place}.${row}`));
  const unseen = all.filter((row) => !seen.has(row));
  assert.deepEqual(unseen, [...UNSEEN.keys()]);
});
