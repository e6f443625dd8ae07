import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Mac } from '../model/mac.ts';
import { writeAddress } from './address.ts';
import { blankHint, type Hint, readHint } from './hint.ts';
import { writeLink } from './link.ts';
import { AF, RTM } from './message.ts';
import { NUD, writeNeighbour } from './neighbour.ts';
import { RT_SCOPE, RTN_UNICAST, RTPROT, writeRoute } from './route.ts';
import { Reader, Writer } from './wire.ts';

const PID = 4123;
const BLANK = { removed: false, index: 7, state: 0, protocol: 0, pid: PID, name: null, mac: null };

function message(type: number, body: (to: Writer) => void): Uint8Array {
  const to = new Writer();
  const at = to.openMessage(type, 0, 1);
  to.view.setUint32(at + 12, PID, true);
  body(to);
  to.closeMessage(at);
  return to.written();
}

const link = (to: Writer): void =>
  writeLink(to, { index: 7, flags: 1, change: 0, attributes: { name: 'vxlan0', mtu: 1450 } });
const bridgePort = (to: Writer): void => {
  link(to);
  to.bytes[16] = AF.BRIDGE;
};
const MAC = '02:00:00:00:00:01' as Mac;
const neighbour =
  (family: number, state: number = NUD.STALE) =>
  (to: Writer) =>
    writeNeighbour(to, { family, index: 7, state, flags: 0, attributes: { mac: MAC } });
const route = (attributes: { metric: number; outputLink?: number }) => (to: Writer) =>
  writeRoute(to, {
    ...{ family: AF.INET, length: 24, table: 254, protocol: RTPROT.STATIC, scope: RT_SCOPE.LINK, type: RTN_UNICAST },
    attributes,
  });
const address = (to: Writer): void =>
  writeAddress(to, { family: AF.INET, length: 24, scope: 0, index: 7, attributes: {} });

const cases: readonly { name: string; in: Uint8Array; want: Hint | false }[] = [
  { name: 'a link', in: message(RTM.NEWLINK, link), want: { ...BLANK, kind: 'link', name: 'vxlan0' } },
  {
    name: 'a link that went',
    in: message(RTM.DELLINK, link),
    want: { ...BLANK, kind: 'link', name: 'vxlan0', removed: true },
  },
  {
    name: 'a link that left its bridge is still there',
    in: message(RTM.DELLINK, bridgePort),
    want: { ...BLANK, kind: 'link', name: 'vxlan0' },
  },
  { name: 'an address', in: message(RTM.NEWADDR, address), want: { ...BLANK, kind: 'address' } },
  {
    name: 'an address that went',
    in: message(RTM.DELADDR, address),
    want: { ...BLANK, kind: 'address', removed: true },
  },
  {
    name: 'a neighbour',
    in: message(RTM.NEWNEIGH, neighbour(AF.INET6)),
    want: { ...BLANK, kind: 'neighbour', state: NUD.STALE },
  },
  {
    name: 'an FDB row that went',
    in: message(RTM.DELNEIGH, neighbour(AF.BRIDGE)),
    want: { ...BLANK, kind: 'fdb', state: NUD.STALE, removed: true, mac: MAC },
  },
  {
    name: 'a permanent FDB row',
    in: message(RTM.NEWNEIGH, neighbour(AF.BRIDGE, NUD.PERMANENT)),
    want: { ...BLANK, kind: 'fdb', state: NUD.PERMANENT },
  },
  {
    name: 'a route',
    in: message(RTM.NEWROUTE, route({ metric: 5, outputLink: 7 })),
    want: { ...BLANK, kind: 'route', protocol: RTPROT.STATIC },
  },
  {
    name: 'a route that went, with several next hops',
    in: message(RTM.DELROUTE, route({ metric: 5 })),
    want: { ...BLANK, kind: 'route', protocol: RTPROT.STATIC, index: 0, removed: true },
  },
  { name: 'a question for a neighbour is no change', in: message(RTM.GETNEIGH, neighbour(AF.INET)), want: false },
  { name: 'a link without its structure', in: message(RTM.NEWLINK, (to) => to.take(12)), want: false },
];

for (const { name, in: bytes, want } of cases) {
  test(name, () => {
    // What the last message left must not show.
    const hint = { ...blankHint(), name: 'old', mac: MAC, state: 99, protocol: 99, removed: true };
    const read = readHint(new Reader(bytes), 0, bytes.length, hint);
    assert.deepEqual(read && hint, want);
  });
}

test('a link that is cut behind its name, and in it', () => {
  const bytes = message(RTM.NEWLINK, link);
  const hint = blankHint();
  // Header 16, struct ifinfomsg 16, the attribute's header 4, the name with its end mark 7.
  assert.equal(readHint(new Reader(bytes), 0, 44, hint), true);
  assert.deepEqual(hint, { ...BLANK, kind: 'link', name: 'vxlan0' });
  assert.equal(readHint(new Reader(bytes), 0, 40, hint), true);
  assert.deepEqual(hint, { ...BLANK, kind: 'link' });
});

test('no bytes make it throw or read beyond the end', () => {
  const types = fc.constantFrom(...Object.values(RTM));
  fc.assert(
    fc.property(types, fc.uint8Array({ minLength: 16, maxLength: 96 }), fc.nat(80), (type, bytes, cut) => {
      new DataView(bytes.buffer).setUint16(4, type, true);
      const end = Math.max(16, bytes.length - cut);
      const whole = blankHint();
      const part = blankHint();
      const read = readHint(new Reader(bytes), 0, end, whole);
      assert.equal(readHint(new Reader(bytes.slice(0, end)), 0, end, part), read);
      assert.deepEqual(part, whole);
    }),
  );
});
