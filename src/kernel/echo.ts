/**
 * Echo over chosen links, sent by everlan itself: proof that packets of a given size cross an overlay, without the
 * `ping` program. Packets carry don't-fragment and go out whatever path MTU the kernel remembers, so a size that
 * answers is a size that the path carries.
 */
import { randomFillSync, randomInt } from 'node:crypto';
import { type Family, familyOf, formatIp, type IpAddress } from '../model/address.ts';
import { errnoText, hasCode, SysError } from '../sys/errno.ts';
import { close, onReadable, type Watch } from '../sys/socket.ts';
import {
  ECHO_HEADER_SIZE,
  type IcmpTrouble,
  ipHeaderSize,
  readIcmp,
  skipIpv4Header,
  writeEchoRequest,
} from './icmp.ts';
import {
  type Channel,
  enlargeBuffers,
  leaveBy,
  linkIndex,
  openChannel,
  receiveOn,
  sendOn,
  socketAddress,
} from './icmp-socket.ts';

export interface EchoTarget {
  /** Name of the link that the packet leaves by. */
  readonly link: string;
  readonly address: IpAddress;
  /** Bytes of the whole IP packet; the link's MTU for one of full size. From 64 to 65535. */
  readonly size: number;
}

export interface EchoOptions {
  /** An open network namespace to send from. */
  readonly netns?: number | undefined;
  /** For each target, from the first attempt on; up to twice that while the kernel has no room for packets. */
  readonly timeoutMs: number;
  /**
   * Spread evenly over the time: the first packet may meet an unresolved neighbour or an address still in DAD. One that
   * the kernel has no room for is tried again, and does not count.
   */
  readonly attempts: number;
}

export type EchoFailure = IcmpTrouble | 'timeout' | 'corrupted' | 'no such link' | 'not sent';

export type EchoResult =
  | { readonly ok: true; readonly rttMs: number /** From 1: the one that was answered. */; readonly attempt: number }
  | {
      readonly ok: false;
      readonly reason: EchoFailure /** A sentence without a full stop. */;
      readonly detail: string;
    };

type Trouble = Extract<EchoResult, { ok: false }>;

interface Probe {
  readonly index: number;
  readonly target: EchoTarget;
  readonly family: Family;
  /** struct sockaddr_in or sockaddr_in6. */
  readonly destination: Uint8Array;
  /** Time of each attempt, in nanoseconds; undefined: could not be sent. */
  readonly sentAt: (bigint | undefined)[];
  /** What the last attempt met; an attempt after it may still be answered. */
  trouble: Trouble | null;
  result: EchoResult | null;
}

/** At the start of each payload: what tells our packets from anybody's. */
const STAMP_SIZE = 16;
const MIN_SIZE = 64;
const MAX_SIZE = 65535;
/** Packets sent without a pause, so that answers find room and neighbours are asked for in turns. */
const BURST = 32;
const PAUSE_MS = 1;
/** The longest pause before what the kernel had no room for is tried again: a look for room may cost it 1 ms each. */
const LONG_PAUSE_MS = 64;
/** What the kernel says when it has no room for a packet now, see `sendOn`. */
const FULL: readonly string[] = ['EAGAIN', 'ENOBUFS', 'ENOMEM', 'EINVAL'];

/**
 * Sends an echo to every target and waits for the answers; results in the order of the targets. Peers that do not
 * answer are results, not errors.
 * @throws SysError EPERM when neither a raw nor a ping socket can be had (CAP_NET_RAW); RangeError for a size.
 */
export async function echo(targets: readonly EchoTarget[], options: EchoOptions): Promise<EchoResult[]> {
  const run = new Run(targets, options);
  try {
    return await run.results();
  } finally {
    run.close();
  }
}

class Run {
  readonly #probes: readonly Probe[];
  readonly #options: EchoOptions;
  readonly #channels = new Map<Family, Channel>();
  readonly #watches: Watch[] = [];
  readonly #links = new Map<string, number | null>();
  readonly #identifier = randomInt(0x10000);
  readonly #buffer = new Uint8Array(MAX_SIZE + 1);
  readonly #sender = new Uint8Array(28);
  /** What is sent: header, stamp, then random bytes that show if any changed on the way. */
  readonly #message: Uint8Array;
  readonly #finished = Promise.withResolvers<void>();
  #open: number;
  /** On the clock of `performance.now`. */
  #lastSentAt = 0;

  constructor(targets: readonly EchoTarget[], options: EchoOptions) {
    this.#options = options;
    let largest = MIN_SIZE;
    this.#probes = targets.map((target, index) => {
      if (!Number.isInteger(target.size) || target.size < MIN_SIZE || target.size > MAX_SIZE) {
        throw new RangeError(`an echo has ${MIN_SIZE} to ${MAX_SIZE} bytes, not ${target.size}`);
      }
      largest = Math.max(largest, target.size);
      const destination = socketAddress(target.address);
      const family = familyOf(target.address);
      return { index, target, family, destination, sentAt: [], trouble: null, result: null };
    });
    this.#message = randomFillSync(new Uint8Array(largest));
    this.#open = this.#probes.length;
    // Awaited only while there is something to wait for.
    this.#finished.promise.catch(() => {});
  }

  async results(): Promise<EchoResult[]> {
    for (const family of [4, 6] as const) this.#prepare(family);
    const { attempts, timeoutMs } = this.#options;
    const each = timeoutMs / attempts;
    for (let attempt = 0; attempt < attempts && this.#open > 0; attempt++) {
      const until = performance.now() + each;
      await this.#sendAll(attempt, until);
      const waiting = this.#probes.some(
        (probe) => probe.result === null && probe.sentAt.some((at) => at !== undefined),
      );
      // The sending may have taken long: the last one has its time, too.
      const rest = Math.max(until, this.#lastSentAt + each);
      if (waiting || attempt < attempts - 1) await this.#pause(rest - performance.now());
      // Where the machine was busy elsewhere, the time is over before answers that did come were looked at.
      for (const channel of this.#channels.values()) this.#receiveAll(channel);
    }
    const silence: Trouble = {
      ok: false,
      reason: 'timeout',
      detail: `no answer in ${timeoutMs} ms, ${attempts === 1 ? '1 attempt' : `${attempts} attempts`}`,
    };
    return this.#probes.map((probe) => probe.result ?? probe.trouble ?? silence);
  }

  close(): void {
    for (const watch of this.#watches) watch.close();
    for (const { fd } of this.#channels.values()) close(fd);
  }

  #prepare(family: Family): void {
    const probes = this.#probes.filter((probe) => probe.family === family);
    if (probes.length === 0) return;
    let channel: Channel;
    try {
      channel = openChannel(family, this.#options.netns);
    } catch (error) {
      if (!hasCode(error, 'EAFNOSUPPORT')) throw error;
      for (const probe of probes) this.#settle(probe, failed('not sent', `the kernel has no IPv${family} here`));
      return;
    }
    this.#channels.set(family, channel);
    const bytes = probes.reduce((sum, probe) => sum + probe.target.size + 1024, 0);
    enlargeBuffers(channel.fd, bytes * this.#options.attempts);
    this.#watches.push(
      onReadable(channel.fd, () => {
        try {
          this.#receiveAll(channel);
        } catch (error) {
          this.#finished.reject(error);
        }
      }),
    );
  }

  /** Sends to all that have not answered; what the kernel has no room for again and again, until the time is over. */
  async #sendAll(attempt: number, until: number): Promise<void> {
    let left = this.#probes;
    for (let pause = PAUSE_MS; ; pause = Math.min(pause * 2, LONG_PAUSE_MS)) {
      const refused: Probe[] = [];
      let burst = 0;
      for (const probe of left) {
        const channel = this.#channels.get(probe.family);
        if (probe.result !== null || channel === undefined) continue;
        if (!this.#send(channel, probe, attempt)) refused.push(probe);
        // At once, or the time of this answer would include the sending of the rest.
        this.#receiveAll(channel);
        if (++burst % BURST === 0) await this.#pause(PAUSE_MS);
      }
      const rest = until - performance.now();
      if (refused.length === 0 || rest <= 0) return;
      left = refused;
      await this.#pause(Math.min(pause, rest));
    }
  }

  /** false: the kernel has no room for it, try again. */
  #send(channel: Channel, probe: Probe, attempt: number): boolean {
    const { index, family } = probe;
    const { size } = probe.target;
    const sequence = (index * this.#options.attempts + attempt) & 0xffff;
    const link = this.#linkIndex(channel.fd, probe.target.link);
    if (link === null) {
      this.#settle(probe, failed('no such link', `there is no link ${probe.target.link}`));
      return true;
    }
    const message = this.#message.subarray(0, size - ipHeaderSize(family));
    const stamp = new DataView(message.buffer, ECHO_HEADER_SIZE, STAMP_SIZE);
    stamp.setUint32(8, index);
    stamp.setUint32(12, attempt);
    writeEchoRequest(message, family, this.#identifier, sequence);
    try {
      leaveBy(channel, probe.destination, link);
      probe.sentAt[attempt] = process.hrtime.bigint();
      sendOn(channel, message, probe.destination);
      this.#lastSentAt = performance.now();
      if (probe.trouble?.reason === 'not sent') probe.trouble = null;
      return true;
    } catch (error) {
      probe.sentAt[attempt] = undefined;
      if (!(error instanceof SysError)) throw error;
      if (error.code === 'EMSGSIZE') {
        this.#settle(probe, failed('message too long', `the link ${probe.target.link} does not carry ${size} bytes`));
        return true;
      }
      probe.trouble = failed('not sent', whyNot(error, family));
      return !FULL.includes(error.code);
    }
  }

  #linkIndex(fd: number, name: string): number | null {
    let index = this.#links.get(name);
    if (index === undefined) {
      index = linkIndex(fd, name);
      this.#links.set(name, index);
    }
    return index;
  }

  #receiveAll(channel: Channel): void {
    for (;;) {
      const length = receiveOn(channel, this.#buffer, this.#sender);
      if (length === -1) return;
      const now = process.hrtime.bigint();
      const packet = this.#buffer.subarray(0, Math.min(length, this.#buffer.length));
      const message = channel.family === 4 && channel.raw ? skipIpv4Header(packet) : packet;
      if (message !== null) this.#take(channel, message, now);
    }
  }

  #take(channel: Channel, message: Uint8Array, now: bigint): void {
    const { family } = channel;
    const answer = readIcmp(message, family);
    // A ping socket has an identifier of the kernel's choice, and receives no other.
    if (answer === null || (channel.raw && answer.identifier !== this.#identifier)) return;
    const source = formatIp(family === 4 ? this.#sender.subarray(4, 8) : this.#sender.subarray(8, 24));
    const { probe, attempt } = this.#find(answer.payload, answer.sequence);
    if (probe === undefined || probe.result !== null || probe.family !== family) return;
    if (answer.kind === 'error') {
      if (answer.destination !== probe.target.address) return;
      this.#fail(probe, attempt, failed(answer.trouble, `${source} says: ${answer.detail}`));
      return;
    }
    const sentAt = probe.sentAt[attempt];
    if (source !== probe.target.address || sentAt === undefined) return;
    const sent = this.#message.subarray(ECHO_HEADER_SIZE, probe.target.size - ipHeaderSize(family));
    const same = Buffer.compare(answer.payload.subarray(STAMP_SIZE), sent.subarray(STAMP_SIZE)) === 0;
    if (same) this.#settle(probe, { ok: true, rttMs: Number(now - sentAt) / 1e6, attempt: attempt + 1 });
    else this.#fail(probe, attempt, failed('corrupted', 'the answer has other bytes than the question'));
  }

  /** The probe that a payload belongs to; by its sequence when the payload was not sent back, as in short errors. */
  #find(payload: Uint8Array, sequence: number): { probe: Probe | undefined; attempt: number } {
    const { attempts } = this.#options;
    if (payload.length < STAMP_SIZE) {
      // Above 65,536 packets a sequence says too little.
      if (this.#probes.length * attempts > 0x10000) return { probe: undefined, attempt: 0 };
      return { probe: this.#probes[Math.floor(sequence / attempts)], attempt: sequence % attempts };
    }
    const cookie = this.#message.subarray(ECHO_HEADER_SIZE, ECHO_HEADER_SIZE + 8);
    if (Buffer.compare(payload.subarray(0, 8), cookie) !== 0) return { probe: undefined, attempt: 0 };
    const stamp = new DataView(payload.buffer, payload.byteOffset, STAMP_SIZE);
    return { probe: this.#probes[stamp.getUint32(8)], attempt: stamp.getUint32(12) };
  }

  /** The path's size stays; a host, a route or sound bytes may still come, until the last attempt. */
  #fail(probe: Probe, attempt: number, trouble: Trouble): void {
    const final = trouble.reason === 'message too long' || attempt === this.#options.attempts - 1;
    if (final) this.#settle(probe, trouble);
    else probe.trouble = trouble;
  }

  #settle(probe: Probe, result: EchoResult): void {
    probe.result = result;
    this.#open--;
    if (this.#open === 0) this.#finished.resolve();
  }

  /** Until then, or until there is nothing left to wait for. */
  async #pause(ms: number): Promise<void> {
    if (ms <= 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    try {
      await Promise.race([promise, this.#finished.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Both errors say so when the kernel has no room for another neighbour, and they may mean other things. */
function whyNot({ code, errno }: SysError, family: Family): string {
  const text = errnoText(errno);
  const table = `net.ipv${family}.neigh.default.gc_thresh3`;
  return code === 'ENOBUFS' || code === 'EINVAL' ? `${text}, maybe the table of neighbours is full (${table})` : text;
}

function failed(reason: EchoFailure, detail: string): Trouble {
  return { ok: false, reason, detail };
}
