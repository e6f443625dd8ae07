/** The loop finds a bus that is late, comes back after one that ended, and never has two connections. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, watch, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { BusAddress } from './address.ts';
import { connectLoop } from './connect-loop.ts';
import { encodeMessage } from './message.ts';

interface Played {
  readonly server: Server;
  readonly sockets: Socket[];
}

/** A bus that says hello and nothing more. */
function playBus(t: TestContext, path: string): Promise<Played> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      if (bytes.includes('AUTH')) socket.write('OK 00\r\n');
      else {
        const hello = { kind: 'return', serial: 1, replySerial: 1, sender: 'org.freedesktop.DBus' } as const;
        socket.write(encodeMessage({ ...hello, signature: 's', body: [':1.1'] }));
      }
    });
  });
  t.after(() => end({ server, sockets }));
  return new Promise((resolve) => server.listen(path, () => resolve({ server, sockets })));
}

function end({ server, sockets }: Played): void {
  server.close();
  for (const socket of sockets) socket.destroy();
}

/** What the loop tells, as words, to be waited for. */
function follow(
  t: TestContext,
  addresses: readonly BusAddress[],
): { next(): Promise<string>; readonly told: string[] } {
  const told: string[] = [];
  const waiting: ((word: string) => void)[] = [];
  let read = 0;
  const tell = (word: string): void => {
    told.push(word);
    if (waiting.length > 0) {
      read++;
      waiting.shift()?.(word);
    }
  };
  const close = connectLoop(addresses, {
    up: () => tell('up'),
    down: ({ name }) => tell(name.replace(/^.*\./, '')),
    wants: () => false,
    signal: () => {},
  });
  t.after(close);
  const next = (): Promise<string> => {
    const word = told[read];
    if (word === undefined) return new Promise((resolve) => waiting.push(resolve));
    read++;
    return Promise.resolve(word);
  };
  return { next, told };
}

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'evloop-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const address = (path: string): BusAddress => ({ path, folder: path.startsWith('\0') ? null : dirname(path) });

async function nextUp(next: () => Promise<string>): Promise<string[]> {
  const before: string[] = [];
  for (let word = await next(); word !== 'up'; word = await next()) before.push(word);
  return before;
}

const LATE: readonly { name: string; in: (t: TestContext) => string; before?: (path: string) => void }[] = [
  { name: 'its folder is there', in: (t) => join(temporary(t), 'socket') },
  {
    name: 'its folder is not there',
    in: (t) => join(temporary(t), 'dbus', 'socket'),
    before: (path) => mkdirSync(dirname(path)),
  },
  { name: 'an abstract name', in: () => `\0everlan-loop-${randomBytes(4).toString('hex')}` },
];

for (const { name, in: pathOf, before } of LATE) {
  test(`a bus that is late: ${name}`, async (t) => {
    const path = pathOf(t);
    const { next } = follow(t, [address(path)]);
    assert.equal(await next(), 'NoServer');
    assert.equal(await next(), 'NoServer');
    before?.(path);
    await playBus(t, path);
    assert.ok((await nextUp(next)).every((word) => word === 'NoServer'));
  });
}

test('a bus that ends and comes back, with one connection each time', async (t) => {
  const path = join(temporary(t), 'socket');
  const { next, told } = follow(t, [address(path)]);
  for (let round = 0; round < 3; round++) {
    const bus = await playBus(t, path);
    await nextUp(next);
    assert.equal(bus.sockets.length, 1);
    end(bus);
    assert.equal(await next(), 'Disconnected');
  }
  assert.equal(told.filter((word) => word === 'Disconnected').length, 3);
});

test('what happens in the folder brings no second connection', async (t) => {
  const folder = temporary(t);
  const path = join(folder, 'socket');
  const { next } = follow(t, [address(path)]);
  for (let i = 0; i < 4; i++) await next();
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket));
  t.after(() => end({ server: silent, sockets }));
  const connected = once(silent, 'connection');
  silent.listen(path);
  await connected;
  const seen = Promise.withResolvers<void>();
  const watcher = watch(folder, (_, name) => {
    if (name === 'last') seen.resolve();
  });
  t.after(() => watcher.close());
  for (const name of ['a', 'b', 'last']) writeFileSync(join(folder, name), '');
  await seen.promise;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(sockets.length, 1);
});

test('a socket that appears is tried before its time', async (t) => {
  const folder = temporary(t);
  const path = join(folder, 'socket');
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { next } = follow(t, [address(path)]);
  for (const wait of [0, 10, 20, 40]) {
    t.mock.timers.tick(wait);
    assert.equal(await next(), 'NoServer');
  }
  // Now it waits for 80 ms, and those never pass.
  const seen = Promise.withResolvers<void>();
  const watcher = watch(folder, () => seen.resolve());
  t.after(() => watcher.close());
  await playBus(t, path);
  await seen.promise;
  t.mock.timers.tick(20);
  assert.equal(await next(), 'up');
});

test('addresses are tried in their order', async (t) => {
  const path = join(temporary(t), 'socket');
  await playBus(t, path);
  const { next } = follow(t, [address(join(dirname(path), 'nobody')), address(path)]);
  assert.equal(await next(), 'up');
});

test('no address: told once, and the process need not go on', async (t) => {
  const { next, told } = follow(t, []);
  assert.equal(await next(), 'BadAddress');
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(told, ['BadAddress']);
});

test('closed while it waits', async (t) => {
  const told: string[] = [];
  const path = join(temporary(t), 'socket');
  const { promise, resolve } = Promise.withResolvers<void>();
  const close = connectLoop([address(path)], {
    up: () => told.push('up'),
    down: () => {
      told.push('down');
      close();
      resolve();
    },
    wants: () => false,
    signal: () => {},
  });
  await promise;
  const bus = await playBus(t, path);
  await new Promise((go) => setTimeout(go, 50));
  assert.deepEqual(told, ['down']);
  assert.equal(bus.sockets.length, 0);
});
