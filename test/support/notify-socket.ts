/** The other end of sd_notify(3), as systemd has it. */
import { libc } from '../../src/sys/libc.ts';
import { close, onReadable, openSocket, receive } from '../../src/sys/socket.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;

export class NotifySocket {
  /** Every line of every message, in their order. */
  readonly lines: string[] = [];
  readonly #fd = openSocket(AF_UNIX, SOCK_DGRAM, 0);
  readonly #watch: { close(): void };
  #waiting: { readonly line: string; readonly done: () => void }[] = [];

  /** @param address a path, or `@` and a name in the abstract namespace, as in NOTIFY_SOCKET */
  constructor(address: string) {
    const name = Buffer.from(address);
    if (address.startsWith('@')) name[0] = 0;
    const socketAddress = Buffer.concat([new Uint8Array(new Uint16Array([AF_UNIX]).buffer), name]);
    if (libc.bind(this.#fd, socketAddress, socketAddress.length) !== 0) throw new Error(`cannot bind ${address}`);
    this.#watch = onReadable(this.#fd, () => this.#receive());
  }

  #receive(): void {
    const buffer = Buffer.alloc(4096);
    for (let length = receive(this.#fd, buffer); length >= 0; length = receive(this.#fd, buffer)) {
      this.lines.push(...buffer.toString('utf8', 0, length).split('\n'));
    }
    this.#waiting = this.#waiting.filter(({ line, done }) => {
      if (!this.lines.includes(line)) return true;
      done();
      return false;
    });
  }

  /** Settles when this line has come, at once if it has. */
  heard(line: string): Promise<void> {
    if (this.lines.includes(line)) return Promise.resolve();
    return new Promise((done) => this.#waiting.push({ line, done }));
  }

  close(): void {
    this.#watch.close();
    close(this.#fd);
  }
}
