/** Whole datagrams as data and back, for the vectors, the script that captures them and the properties. */
import { type AddressMessage, readAddress, writeAddress } from '../address.ts';
import { type LinkMessage, readLink, writeLink } from '../link.ts';
import { type Acknowledgement, forEachMessage, type Header, NLMSG, RTM, readAcknowledgement } from '../message.ts';
import { type NeighbourMessage, readNeighbour, writeNeighbour } from '../neighbour.ts';
import { type RouteMessage, readRoute, writeRoute } from '../route.ts';
import { Reader, Writer } from '../wire.ts';

/** What was sent or received in one call, and what it means. */
export interface Vector {
  readonly name: string;
  /** The command that made `ip` or `bridge` send it, or whose question the kernel answered so. */
  readonly command: string;
  /** Whether our encoder makes the same bytes of `decoded`. Else the sender uses header fields or attributes that we do not. */
  readonly exact: boolean;
  readonly hex: string;
  /** Messages, with bytes as hex. */
  readonly decoded: readonly unknown[];
}

export type Body =
  | { readonly kind: 'link'; readonly link: LinkMessage }
  | { readonly kind: 'address'; readonly address: AddressMessage }
  | { readonly kind: 'neighbour'; readonly neighbour: NeighbourMessage }
  | { readonly kind: 'route'; readonly route: RouteMessage }
  | { readonly kind: 'acknowledgement'; readonly acknowledgement: Acknowledgement };

export type Message = { readonly type: string; readonly flags: number; readonly sequence: number } & Body;

const TYPE_NAMES = new Map<number, string>(Object.entries({ ...NLMSG, ...RTM }).map(([name, type]) => [type, name]));
const TYPE_NUMBERS = new Map<string, number>([...TYPE_NAMES].map(([type, name]) => [name, type]));

function readBody(name: string, from: Reader, header: Header): Body {
  const { start, end } = header;
  if (name.endsWith('LINK')) return { kind: 'link', link: readLink(from, start, end) };
  if (name.endsWith('ADDR')) return { kind: 'address', address: readAddress(from, start, end) };
  if (name.endsWith('NEIGH')) return { kind: 'neighbour', neighbour: readNeighbour(from, start, end) };
  if (name.endsWith('ROUTE')) return { kind: 'route', route: readRoute(from, start, end) };
  return { kind: 'acknowledgement', acknowledgement: readAcknowledgement(from, header) };
}

function writeBody(to: Writer, body: Body): void {
  switch (body.kind) {
    case 'link':
      writeLink(to, body.link);
      break;
    case 'address':
      writeAddress(to, body.address);
      break;
    case 'neighbour':
      writeNeighbour(to, body.neighbour);
      break;
    case 'route':
      writeRoute(to, body.route);
      break;
    case 'acknowledgement':
      throw new TypeError('only the kernel writes acknowledgements');
    default:
      body satisfies never;
  }
}

/** @throws NetlinkError */
export function decodeMessage(from: Reader, header: Header): Message {
  const type = TYPE_NAMES.get(header.type) ?? 'NOOP';
  return { type, flags: header.flags, sequence: header.sequence, ...readBody(type, from, header) };
}

/** @throws NetlinkError */
export function decodeDatagram(bytes: Uint8Array): readonly Message[] {
  const from = new Reader(bytes);
  const messages: Message[] = [];
  forEachMessage(from, (header) => {
    messages.push(decodeMessage(from, header));
    return true;
  });
  return messages;
}

/** The bytes that one send of all messages would have. */
export function encodeDatagram(messages: readonly Message[]): Uint8Array {
  // Small on purpose: the buffer has to grow.
  const to = new Writer(64);
  for (const message of messages) {
    const at = to.openMessage(TYPE_NUMBERS.get(message.type) ?? 0, message.flags, message.sequence);
    writeBody(to, message);
    to.closeMessage(at);
  }
  return to.written().slice();
}

/** As it stands in a vector's file: bytes as hex, nothing that JSON cannot say. */
export function plain(value: unknown): unknown {
  const hex = (_key: string, item: unknown) =>
    item instanceof Uint8Array ? Buffer.from(item).toString('hex') : (item ?? null);
  return JSON.parse(JSON.stringify(value, hex));
}

/** What another encoder could make of it: acknowledgements left out. */
export const writable = (messages: readonly Message[]): readonly Message[] =>
  messages.filter(({ kind }) => kind !== 'acknowledgement');
