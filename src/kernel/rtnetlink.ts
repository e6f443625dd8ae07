/** A NETLINK_ROUTE socket: dumps, and batches of requests (rtnetlink(7)). Synchronous: the kernel answers within `send`. */
import { AF, forEachMessage, type Header, NLM_F, NLMSG, readAcknowledgement } from '../netlink/message.ts';
import { Reader, Writer } from '../netlink/wire.ts';
import { SysError } from '../sys/errno.ts';
import { check, libc } from '../sys/libc.ts';
import { close, Mailbox, openSocket, receive, send, setOption } from '../sys/socket.ts';

export const NETLINK_ROUTE = 0;
export const SOCK_RAW = 3;
export const SOL_NETLINK = 270;
/** NETLINK_* socket options (<linux/netlink.h>). */
const OPTION = { CAP_ACK: 10, EXT_ACK: 11, GET_STRICT_CHK: 12 } as const;
const ENOBUFS = 105;
const ENODEV = 19;
const ENOENT = 2;

/** Larger batches are slower: the kernel copies the whole buffer before it starts. */
const BATCH_MESSAGES = 64;
const BATCH_BYTES = 32768;
/** The kernel's dumps come in pieces of at most 32 KiB. */
const RECEIVE_BYTES = 65536;
const DUMP_TRIES = 20;

/** A request that the kernel refused. */
export interface Refusal<T> {
  readonly tag: T;
  /** Positive errno. */
  readonly errno: number;
  /** The kernel's own words, when it said any. */
  readonly message: string | undefined;
}

/** Collects the messages of one dump; made anew when a dump has to be read again. */
export interface Collector<T> {
  visit(from: Reader, header: Header): void;
  done(): T;
}

/** The socket's own port id (netlink(7)), given to it now if it has none. @throws SysError */
export function portOf(fd: number): number {
  // struct sockaddr_nl: family (2), padding (2), port id, groups.
  const address = new Uint32Array(3);
  const own = (): number => {
    check('getsockname', libc.getsockname(fd, address, new Uint32Array([address.byteLength])));
    return address[1] ?? 0;
  };
  const port = own();
  if (port !== 0) return port;
  address.set([AF.NETLINK, 0, 0]);
  check('bind', libc.bind(fd, address, address.byteLength));
  return own();
}

export class Rtnetlink {
  readonly fd: number;
  readonly #writer = new Writer(BATCH_BYTES * 2);
  #buffer = new Uint8Array(RECEIVE_BYTES);
  #reader = new Reader(this.#buffer);
  #sequence = 1;
  #mailbox: Mailbox | undefined;
  #portId: number | undefined;

  /** @param netns an open namespace; without it, our own. */
  constructor(netns?: number) {
    this.fd = openSocket(AF.NETLINK, SOCK_RAW, NETLINK_ROUTE, { netns });
    for (const option of [OPTION.CAP_ACK, OPTION.EXT_ACK, OPTION.GET_STRICT_CHK]) {
      setOption(this.fd, SOL_NETLINK, option, 1);
    }
  }

  /** What the notifications of changes that this socket asked for bear as `nlmsg_pid`. */
  get portId(): number {
    this.#portId ??= portOf(this.fd);
    return this.#portId;
  }

  close(): void {
    close(this.fd);
  }

  /** The next datagram, or null when there is none. A cut one is answered with a larger buffer and read as lost. */
  #receive(): Reader | null {
    const length = receive(this.fd, this.#buffer);
    if (length < 0) return null;
    if (length > this.#buffer.length) {
      this.#buffer = new Uint8Array(length * 2);
      this.#reader = new Reader(this.#buffer);
      throw new SysError('recv', ENOBUFS);
    }
    return length === this.#buffer.length ? this.#reader : new Reader(this.#buffer.subarray(0, length));
  }

  /** Reads away what an abandoned dump left. */
  #drain(): void {
    for (;;) {
      try {
        if (receive(this.fd, this.#buffer) < 0) return;
      } catch (error) {
        if (!(error instanceof SysError && error.errno === ENOBUFS)) throw error;
      }
    }
  }

  /**
   * Reads a whole table. Read again when the kernel says that the table changed meanwhile (NLM_F_DUMP_INTR) or that
   * messages were lost (ENOBUFS, a cut message).
   * @throws SysError with the kernel's errno.
   */
  dump<T>(type: number, body: (to: Writer) => void, collector: () => Collector<T>): T {
    for (let tries = 1; ; tries++) {
      const collect = collector();
      try {
        if (this.#dumpOnce(type, body, collect) || tries === DUMP_TRIES) return collect.done();
      } catch (error) {
        if (!(error instanceof SysError && error.errno === ENOBUFS) || tries === DUMP_TRIES) throw error;
      }
      this.#drain();
    }
  }

  /** False when the table changed while it was read. */
  #dumpOnce<T>(type: number, body: (to: Writer) => void, collect: Collector<T>): boolean {
    const sequence = this.#sequence++;
    const writer = this.#writer;
    writer.reset();
    const at = writer.openMessage(type, NLM_F.REQUEST | NLM_F.DUMP, sequence);
    body(writer);
    writer.closeMessage(at);
    send(this.fd, writer.written());
    let whole = true;
    let finished = false;
    while (!finished) {
      const from = this.#receive();
      // The kernel fills the next piece before recv returns, so there is always one until NLMSG_DONE.
      if (from === null) throw new SysError('recv', ENOBUFS);
      forEachMessage(from, (header) => {
        if (header.sequence !== sequence) return true;
        if ((header.flags & NLM_F.DUMP_INTR) !== 0) whole = false;
        if (header.type === NLMSG.DONE || header.type === NLMSG.ERROR) {
          finished = true;
          const { errno, message } = readAcknowledgement(from, header);
          if (errno !== 0) throw new SysError('dump', errno, message);
          return false;
        }
        collect.visit(from, header);
        return true;
      });
    }
    return whole;
  }

  /**
   * Asks for one object, of any size.
   * @returns null when the kernel has none such (ENODEV, ENOENT).
   * @throws SysError with the kernel's errno.
   */
  get<T>(type: number, body: (to: Writer) => void, read: (from: Reader, header: Header) => T): T | null {
    for (let tries = 1; ; tries++) {
      try {
        return this.#getOnce(type, body, read);
      } catch (error) {
        if (!(error instanceof SysError && error.errno === ENOBUFS) || tries === DUMP_TRIES) throw error;
      }
      this.#drain();
    }
  }

  #getOnce<T>(type: number, body: (to: Writer) => void, read: (from: Reader, header: Header) => T): T | null {
    const sequence = this.#sequence++;
    const writer = this.#writer;
    writer.reset();
    const at = writer.openMessage(type, NLM_F.REQUEST, sequence);
    body(writer);
    writer.closeMessage(at);
    send(this.fd, writer.written());
    const from = this.#receive();
    if (from === null) throw new SysError('recv', ENOBUFS);
    let found: T | null = null;
    forEachMessage(from, (header) => {
      if (header.sequence !== sequence) return true;
      if (header.type === NLMSG.ERROR) {
        const { errno, message } = readAcknowledgement(from, header);
        if (errno !== ENODEV && errno !== ENOENT) throw new SysError('get', errno, message);
      } else {
        found = read(from, header);
      }
      return false;
    });
    return found;
  }

  /**
   * Asks for single objects, many in one send: `visit` gets each answer that is not an error (such as ENOENT).
   * Linear in the number of questions, where a dump of a large FDB walks the whole table again for every 32 KiB.
   */
  ask<T>(
    questions: readonly T[],
    type: number,
    write: (to: Writer, question: T) => void,
    visit: (from: Reader, header: Header, question: T) => void,
  ): void {
    this.#mailbox ??= new Mailbox(BATCH_MESSAGES, ANSWER_BYTES);
    const mailbox = this.#mailbox;
    const from = new Reader(mailbox.bytes);
    const writer = this.#writer;
    let first = 0;
    let start = 0;
    const answer = (header: Header): boolean => {
      const question = questions[start + header.sequence - first];
      if (header.type !== NLMSG.ERROR && question !== undefined) visit(from, header, question);
      return true;
    };
    for (; start < questions.length; start += BATCH_MESSAGES) {
      const count = Math.min(BATCH_MESSAGES, questions.length - start);
      first = this.#sequence;
      writer.reset();
      for (let i = start; i < start + count; i++) {
        const at = writer.openMessage(type, NLM_F.REQUEST, this.#sequence++);
        write(writer, questions[i] as T);
        writer.closeMessage(at);
      }
      send(this.fd, writer.written());
      for (let answered = 0; answered < count; ) {
        const got = mailbox.receive(this.fd, count - answered);
        if (got === 0) throw new SysError('recvmmsg', ENOBUFS);
        answered += got;
        for (let i = 0; i < got; i++) {
          const at = i * mailbox.size;
          forEachMessage(from, answer, at, at + Math.min(mailbox.lengthOf(i), mailbox.size));
        }
      }
    }
  }

  /**
   * A batch of requests, sent in pieces as it grows. Only the last message of a piece asks for an acknowledgement; one
   * that fails answers with its own sequence number anyway.
   */
  batch<T>(onSent: (count: number) => void = () => undefined): Batch<T> {
    const writer = this.#writer;
    let tags: T[] = [];
    /** Sequence number of the piece's first message, and offset of its last. */
    let first = 0;
    let last = 0;
    const refusals: Refusal<T>[] = [];

    const collect = (): void => {
      const end = first + tags.length - 1;
      for (let acknowledged = false; !acknowledged; ) {
        const from = this.#receive();
        if (from === null) throw new SysError('recv', ENOBUFS);
        forEachMessage(from, (header) => {
          if (header.type !== NLMSG.ERROR || header.sequence < first || header.sequence > end) return true;
          const { errno, message } = readAcknowledgement(from, header);
          const tag = tags[header.sequence - first];
          if (errno !== 0 && tag !== undefined) refusals.push({ tag, errno, message });
          if (header.sequence === end) acknowledged = true;
          return true;
        });
      }
    };

    const flush = (): void => {
      if (tags.length === 0) return;
      writer.addFlags(last, NLM_F.ACK);
      send(this.fd, writer.written());
      collect();
      onSent(tags.length);
      tags = [];
    };

    return {
      add: (tag, type, flags, write) => {
        if (tags.length === 0) {
          writer.reset();
          first = this.#sequence;
        }
        last = writer.openMessage(type, NLM_F.REQUEST | flags, this.#sequence++);
        write(writer);
        writer.closeMessage(last);
        tags.push(tag);
        if (tags.length === BATCH_MESSAGES || writer.length > BATCH_BYTES) flush();
        return refusals.length === 0;
      },
      finish: () => {
        flush();
        return refusals;
      },
    };
  }
}

/** Answers to single questions are short; the longest that is asked for is an FDB row. */
const ANSWER_BYTES = 256;

export interface Batch<T> {
  /** False once the kernel has refused something: what follows is better not sent. */
  add(tag: T, type: number, flags: number, write: (to: Writer) => void): boolean;
  /** Sends the rest; all refusals, in order. */
  finish(): readonly Refusal<T>[];
}
