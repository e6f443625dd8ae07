/** Arbitrary values made from the attribute tables: one arbitrary for each codec. */
import fc, { type Arbitrary } from 'fast-check';
import { formatIp } from '../../model/address.ts';
import { formatMac } from '../../model/mac.ts';
import { ADDRESS } from '../address.ts';
import * as codecs from '../codecs.ts';
import { BRIDGE, BRIDGE_PORT, LINK, type LinkInfo, type LinkMessage, VXLAN } from '../link.ts';
import { NEIGHBOUR } from '../neighbour.ts';
import { ROUTE } from '../route.ts';
import type { Codec, Table, Values } from '../wire.ts';
import type { Message } from './datagram.ts';

/** Decoders make plain objects, without which deepEqual tells the two apart. */
const record = <T>(model: { [K in keyof T]: Arbitrary<T[K]> }): Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true });

export const u8 = fc.integer({ min: 0, max: 0xff });
export const u16 = fc.integer({ min: 0, max: 0xffff });
export const u32 = fc.integer({ min: 0, max: 0xffffffff });
const i32 = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
/** Well-formed Unicode without an end mark in it. */
const text = fc.string({ unit: 'grapheme', maxLength: 40 }).map((value) => value.replaceAll('\0', ''));
const mac = bytes(6).map((value) => formatMac(value));
const ip6 = fc.oneof(
  bytes(16),
  bytes(4).map((tail) => Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...tail])),
  bytes(4).map((tail) => Uint8Array.from([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...tail])),
);

const ARBITRARIES = new Map<Codec<unknown>, Arbitrary<unknown>>([
  [codecs.u8, u8],
  [codecs.u16, u16],
  [codecs.u32, u32],
  [codecs.be16, u16],
  [codecs.be32, u32],
  [codecs.bool, fc.boolean()],
  [codecs.flag, fc.constant(true)],
  [codecs.flagOrU8, fc.boolean()],
  [codecs.text, text],
  [codecs.bareText, text],
  [codecs.raw, fc.uint8Array({ maxLength: 40 })],
  [codecs.mac, mac],
  [codecs.hardwareAddress, fc.option(mac)],
  [codecs.ip, fc.oneof(bytes(4), ip6).map(formatIp)],
  [codecs.ip6, ip6.map(formatIp)],
  [codecs.portRange, fc.tuple(u16, u16)],
  [codecs.lifetimes, record({ preferred: u32, valid: u32 })],
]);

/** Any of the table's attributes in any order. A codec without an arbitrary is an error, so none is forgotten. */
function valuesOf<T extends Table>(table: T, more: Readonly<Record<string, Arbitrary<unknown>>> = {}) {
  const made = Object.entries(table).map(([name, [, codec]]): [string, Arbitrary<unknown>] => {
    const arbitrary = more[name] ?? ARBITRARIES.get(codec);
    if (arbitrary === undefined) throw new TypeError(`no arbitrary for the codec of ${name}`);
    return [name, arbitrary];
  });
  return fc
    .shuffledSubarray(made)
    .chain((rows): Arbitrary<Values<T>> => record(Object.fromEntries(rows)) as Arbitrary<Values<T>>);
}

const VXLAN_VALUES = valuesOf(VXLAN);
const BRIDGE_VALUES = valuesOf(BRIDGE);
const BRIDGE_PORT_VALUES = valuesOf(BRIDGE_PORT);

const port = fc.oneof(
  fc.constant({}),
  text.map((portKind) => ({ portKind })),
  BRIDGE_PORT_VALUES.map((bridgePort) => ({ portKind: 'bridge', bridgePort })),
);

const withPort = (info: Arbitrary<LinkInfo>): Arbitrary<LinkInfo> =>
  fc.tuple(info, port).map(([own, inBridge]) => ({ ...own, ...inBridge }));

const plainInfo = withPort(
  fc.oneof(
    text.map((kind) => ({ kind })),
    VXLAN_VALUES.map((vxlan) => ({ kind: 'vxlan', vxlan })),
    BRIDGE_VALUES.map((bridge) => ({ kind: 'bridge', bridge })),
  ),
);

const linkMessage = (info: Arbitrary<LinkInfo>): Arbitrary<LinkMessage> =>
  record({ index: i32, flags: u32, change: u32, attributes: valuesOf(LINK, { linkInfo: info }) });

const vethInfo = withPort(linkMessage(plainInfo).map((peer) => ({ kind: 'veth', peer })));

const BODIES = {
  LINK: linkMessage(fc.oneof(plainInfo, vethInfo)).map((link) => ({ kind: 'link' as const, link })),
  ADDR: record({ family: u8, length: u8, scope: u8, index: u32, attributes: valuesOf(ADDRESS) }).map((address) => ({
    kind: 'address' as const,
    address,
  })),
  NEIGH: record({ family: u8, index: i32, state: u16, flags: u8, attributes: valuesOf(NEIGHBOUR) }).map(
    (neighbour) => ({ kind: 'neighbour' as const, neighbour }),
  ),
  ROUTE: record({
    family: u8,
    length: u8,
    table: u8,
    protocol: u8,
    scope: u8,
    type: u8,
    attributes: valuesOf(ROUTE),
  }).map((route) => ({ kind: 'route' as const, route })),
};

/** Arbitrary messages by what they are about. */
export const MESSAGES: Readonly<Record<keyof typeof BODIES, Arbitrary<Message>>> = {
  LINK: messageOf('LINK', BODIES.LINK),
  ADDR: messageOf('ADDR', BODIES.ADDR),
  NEIGH: messageOf('NEIGH', BODIES.NEIGH),
  ROUTE: messageOf('ROUTE', BODIES.ROUTE),
};

function messageOf(
  subject: string,
  body: Arbitrary<(typeof BODIES)[keyof typeof BODIES] extends Arbitrary<infer B> ? B : never>,
) {
  const verb = fc.constantFrom('NEW', 'DEL', 'GET');
  return fc
    .tuple(verb, u16, u32, body)
    .map(([what, flags, sequence, about]): Message => ({ type: `${what}${subject}`, flags, sequence, ...about }));
}

export const anyMessage = fc.oneof(...Object.values(MESSAGES));
