/** The bytes of ICMP (RFC 792) and ICMPv6 (RFC 4443): echo requests out, echo replies and errors in. Pure. */
import { type Family, formatIp, type IpAddress } from '../model/address.ts';

/** What an error message means for whoever waits for an answer. */
export type IcmpTrouble = 'message too long' | 'unreachable' | 'prohibited' | 'refused';

export interface EchoReply {
  readonly kind: 'reply';
  readonly identifier: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** An error about an echo request, which it quotes. */
export interface IcmpError {
  readonly kind: 'error';
  readonly trouble: IcmpTrouble;
  /** What the sender says, such as `fragmentation needed, the next hop carries 1400 bytes`. */
  readonly detail: string;
  /** Of the quoted request. */
  readonly destination: IpAddress;
  readonly identifier: number;
  readonly sequence: number;
  /** As much of the quoted request's payload as was sent back, maybe none. */
  readonly payload: Uint8Array;
}

interface Meaning {
  readonly trouble: IcmpTrouble;
  readonly text: string;
  /** The 16-bit word (ICMP) or 32-bit word (ICMPv6) of the next hop's MTU is there. */
  readonly mtu?: true;
}

const unreachable = (text: string): Meaning => ({ trouble: 'unreachable', text });
const prohibited = (text: string): Meaning => ({ trouble: 'prohibited', text });
const refused = (text: string): Meaning => ({ trouble: 'refused', text });

interface Protocol {
  readonly request: number;
  readonly reply: number;
  readonly headerSize: number;
  /** Of the quoted IP header. */
  readonly destinationAt: number;
  readonly protocolAt: number;
  readonly protocol: number;
  /** By type. */
  readonly errors: Readonly<Record<number, Errors>>;
}

interface Errors {
  /** Of a code that is not listed. */
  readonly other: Meaning;
  readonly codes?: Readonly<Record<number, Meaning>>;
}

const PROTOCOLS: Readonly<Record<Family, Protocol>> = {
  // https://www.iana.org/assignments/icmp-parameters
  4: {
    request: 8,
    reply: 0,
    headerSize: 20,
    destinationAt: 16,
    protocolAt: 9,
    protocol: 1,
    errors: {
      3: {
        other: unreachable('destination unreachable'),
        codes: {
          0: unreachable('network unreachable'),
          1: unreachable('host unreachable'),
          2: unreachable('protocol unreachable'),
          3: unreachable('port unreachable'),
          4: { trouble: 'message too long', text: 'fragmentation needed', mtu: true },
          5: unreachable('source route failed'),
          6: unreachable('network unknown'),
          7: unreachable('host unknown'),
          8: unreachable('source host isolated'),
          9: prohibited('network administratively prohibited'),
          10: prohibited('host administratively prohibited'),
          11: unreachable('network unreachable for this type of service'),
          12: unreachable('host unreachable for this type of service'),
          13: prohibited('communication administratively prohibited'),
          14: prohibited('host precedence violation'),
          15: prohibited('precedence cutoff in effect'),
        },
      },
      11: { other: unreachable('time to live exceeded') },
      12: { other: refused('parameter problem') },
    },
  },
  // https://www.iana.org/assignments/icmpv6-parameters
  6: {
    request: 128,
    reply: 129,
    headerSize: 40,
    destinationAt: 24,
    protocolAt: 6,
    protocol: 58,
    errors: {
      1: {
        other: unreachable('destination unreachable'),
        codes: {
          0: unreachable('no route to destination'),
          1: prohibited('communication administratively prohibited'),
          2: unreachable('beyond scope of source address'),
          3: unreachable('address unreachable'),
          4: unreachable('port unreachable'),
          5: prohibited('source address failed policy'),
          6: prohibited('route to destination rejected'),
          7: unreachable('error in source routing header'),
        },
      },
      2: { other: { trouble: 'message too long', text: 'packet too big', mtu: true } },
      3: { other: unreachable('hop limit exceeded') },
      4: { other: refused('parameter problem') },
    },
  },
};

/** ICMP types that an echo can be answered with; a socket filters by them. */
export function answerTypes(family: Family): readonly number[] {
  const { reply, errors } = PROTOCOLS[family];
  return [reply, ...Object.keys(errors).map(Number)];
}

/** Bytes of the IP header without options: what `size` of a packet includes beside the message. */
export function ipHeaderSize(family: Family): number {
  return PROTOCOLS[family].headerSize;
}

/** The Internet checksum (RFC 1071) of `bytes`, in host order; 0 over a message that has a right one. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  let i = 0;
  for (; i + 1 < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  if (i < bytes.length) sum += (bytes[i] ?? 0) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export const ECHO_HEADER_SIZE = 8;

/**
 * Completes an echo request in place: `message` is 8 bytes for the header, then the payload. The checksum of ICMPv6
 * covers addresses and is left to the kernel (RFC 3542, section 3.1).
 */
export function writeEchoRequest(message: Uint8Array, family: Family, identifier: number, sequence: number): void {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  view.setUint16(0, PROTOCOLS[family].request << 8);
  view.setUint16(2, 0);
  view.setUint16(4, identifier);
  view.setUint16(6, sequence);
  if (family === 4) view.setUint16(2, checksum(message));
}

/** The message inside an IPv4 packet, as a raw socket receives it; null when it is too short. */
export function skipIpv4Header(packet: Uint8Array): Uint8Array | null {
  const size = ((packet[0] ?? 0) & 15) * 4;
  return size >= 20 && packet.length >= size ? packet.subarray(size) : null;
}

/** What a message says about an echo request; null for anything else, and for what is cut too short to tell. */
export function readIcmp(message: Uint8Array, family: Family): EchoReply | IcmpError | null {
  if (message.length < ECHO_HEADER_SIZE) return null;
  const protocol = PROTOCOLS[family];
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const type = view.getUint8(0);
  if (type === protocol.reply) {
    const payload = message.subarray(ECHO_HEADER_SIZE);
    return { kind: 'reply', identifier: view.getUint16(4), sequence: view.getUint16(6), payload };
  }
  const errors = protocol.errors[type];
  if (errors === undefined) return null;
  const meaning = errors.codes?.[view.getUint8(1)] ?? errors.other;
  const quoted = message.subarray(8);
  const inner = family === 4 ? skipIpv4Header(quoted) : quoted.subarray(protocol.headerSize);
  if (inner === null || inner.length < ECHO_HEADER_SIZE) return null;
  if (quoted[protocol.protocolAt] !== protocol.protocol || inner[0] !== protocol.request) return null;
  const request = new DataView(inner.buffer, inner.byteOffset, inner.byteLength);
  const mtu = family === 4 ? view.getUint16(6) : view.getUint32(4);
  const { destinationAt } = protocol;
  return {
    kind: 'error',
    trouble: meaning.trouble,
    detail: meaning.mtu === true ? `${meaning.text}, the next hop carries ${mtu} bytes` : meaning.text,
    destination: formatIp(quoted.subarray(destinationAt, destinationAt + (family === 4 ? 4 : 16))),
    identifier: request.getUint16(4),
    sequence: request.getUint16(6),
    payload: inner.subarray(ECHO_HEADER_SIZE),
  };
}
