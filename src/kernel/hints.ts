/** What the kernel tells of changes to links, addresses, neighbours, FDB rows and routes, as it tells it (rtnetlink(7)). */
import { blankHint, type Hint, readHint } from '../netlink/hint.ts';
import { AF, GROUP } from '../netlink/message.ts';
import { align, Reader } from '../netlink/wire.ts';
import { hasCode, SysError } from '../sys/errno.ts';
import { close, Mailbox, onReadable, openSocket, setOption, type Watch } from '../sys/socket.ts';
import { NETLINK_ROUTE, portOf, SOCK_RAW, SOL_NETLINK } from './rtnetlink.ts';

export type { Hint, HintKind } from '../netlink/hint.ts';

export interface HintListener {
  /** The object is used again for the next hint: keep what is needed of it, not itself. */
  hint(hint: Hint): void;
  /** Hints were lost, so anything may have changed. Comes when no more are being lost, right before `settled`. */
  lost(): void;
  /** After the hints of one burst, or of a part of a very long one, and after `lost`. */
  settled(): void;
  /** The socket died, and another is in its place by now: what changed in between, nobody told. */
  broken(error: SysError): void;
}

export interface HintWatch extends Watch {
  /**
   * Forgets what has happened so far and was not told yet, for a caller who looks at everything next. The kernel tells of
   * a change before the request for it returns, so this passes over the echo of one's own.
   */
  forget(): void;
}

const ADD_MEMBERSHIP = 1; // NETLINK_*, <linux/netlink.h>
const SOL_SOCKET = 1; // <asm-generic/socket.h>
const SO_RCVBUFFORCE = 33;

/** Every table whose changes concern an overlay. */
const GROUPS = Object.values(GROUP);
/** Some 20,000 hints fit; more at once are reported as lost. */
const BUFFER_BYTES = 8 * 1024 * 1024;
/** What a hint is read from stands at the beginning of a message: 2 kB of a link's are cut off unread. */
const SLOT_BYTES = 512;
const SLOTS = 64;
/** After so many calls the rest of the program has its turn, however much comes. */
const CALLS = 256;

/** Milliseconds until a socket is opened again: doubled each time, begun anew after one that held for the longest of them. */
const SHORTEST_WAIT = 10;
const LONGEST_WAIT = 5000;

function openEvents(netns: number | undefined): number {
  const fd = openSocket(AF.NETLINK, SOCK_RAW, NETLINK_ROUTE, { netns });
  try {
    try {
      setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES);
    } catch (error) {
      // Without CAP_NET_ADMIN the default size has to do.
      if (!hasCode(error, 'EPERM')) throw error;
    }
    // Without an address of its own a socket passes for the kernel, and is not told of what the kernel does.
    portOf(fd);
    for (const group of GROUPS) setOption(fd, SOL_NETLINK, ADD_MEMBERSHIP, group);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

class Hints implements HintWatch {
  readonly #netns: number | undefined;
  readonly #listener: HintListener;
  readonly #mailbox = new Mailbox(SLOTS, SLOT_BYTES);
  readonly #reader = new Reader(this.#mailbox.bytes);
  readonly #hint = blankHint();
  #socket: { readonly fd: number; readonly watch: Watch } | null = null;
  /** In seconds of process.uptime(). */
  #since = 0;
  #wait = SHORTEST_WAIT;
  #timer: NodeJS.Timeout | undefined;
  #lost = false;

  constructor(netns: number | undefined, listener: HintListener) {
    this.#netns = netns;
    this.#listener = listener;
    this.#open();
  }

  #open(): void {
    const fd = openEvents(this.#netns);
    this.#socket = { fd, watch: onReadable(fd, () => this.#read()) };
    this.#since = process.uptime();
  }

  #closeSocket(): void {
    this.#socket?.watch.close();
    if (this.#socket !== null) close(this.#socket.fd);
    this.#socket = null;
  }

  /** How many messages came; -1: the socket is dead. Losses are noted. */
  #receive(): number {
    if (this.#socket === null) return -1;
    for (;;) {
      try {
        return this.#mailbox.receive(this.#socket.fd, SLOTS);
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        if (!hasCode(error, 'ENOBUFS')) {
          this.#fail(error);
          return -1;
        }
        this.#lost = true;
      }
    }
  }

  #read(): void {
    let got = SLOTS;
    let told = false;
    for (let calls = 0; calls < CALLS && got > 0; calls++) {
      got = this.#receive();
      // The listener may close this at any time.
      for (let i = 0; i < got && this.#socket !== null; i++) told = this.#tell(i) || told;
    }
    // While the queue is full the kernel drops what comes, so only once it is empty a look at everything misses nothing.
    if (this.#lost && got === 0) {
      this.#lost = false;
      told = true;
      this.#listener.lost();
    }
    if (told && this.#socket !== null) this.#listener.settled();
  }

  /** The messages of slot `i`; whether there was a hint in them. */
  #tell(i: number): boolean {
    let told = false;
    const start = i * SLOT_BYTES;
    const length = this.#mailbox.lengthOf(i);
    const end = start + length;
    const stop = start + Math.min(length, SLOT_BYTES);
    let at = start;
    while (at + 16 <= stop) {
      const size = this.#reader.u32(at);
      if (size < 16 || size > end - at) break;
      if (readHint(this.#reader, at, Math.min(at + size, stop), this.#hint)) {
        told = true;
        this.#listener.hint(this.#hint);
      }
      at += align(size);
    }
    // Another message stood behind the cut, or the bytes are no messages at all.
    if (at < end) this.#lost = true;
    return told;
  }

  forget(): void {
    for (let calls = 0; calls < CALLS; calls++) {
      if (this.#receive() > 0) continue;
      this.#lost = false;
      return;
    }
  }

  #fail(error: SysError): void {
    this.#closeSocket();
    if ((process.uptime() - this.#since) * 1000 > LONGEST_WAIT) this.#wait = SHORTEST_WAIT;
    this.#timer = setTimeout(() => this.#reopen(error), this.#wait);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
  }

  #reopen(error: SysError): void {
    try {
      this.#open();
    } catch (again) {
      if (!(again instanceof SysError)) throw again;
      this.#fail(again);
      return;
    }
    this.#listener.broken(error);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#closeSocket();
  }
}

/**
 * Tells of each change in the namespace from now on, on the event loop. Cheap enough for bursts of 100,000.
 * @param netns an open namespace, to be kept open as long as this; without it, our own.
 * @throws SysError when there is no socket to be had at first; later on it is tried again.
 */
export function watchHints(netns: number | undefined, listener: HintListener): HintWatch {
  return new Hints(netns, listener);
}

/** Calls back, on the event loop, when something may have changed, once for each burst. As `watchHints`. */
export function watchChanges(netns: number | undefined, onChange: () => void): Watch {
  const quiet = (): void => {};
  return watchHints(netns, { hint: quiet, lost: quiet, settled: onChange, broken: onChange });
}
