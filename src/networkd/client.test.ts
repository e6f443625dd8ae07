/** The client against buses that a test plays: what goes wrong is told once, as a value, and nothing is left over. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Bus, type BusEvents, type DBusError, LIMITS, openBus, type Reply } from './client.ts';
import { Frames } from './frames.ts';
import { encodeMessage, type Header, type Outgoing, readBody } from './message.ts';
import type { Value } from './wire.ts';

interface Script {
  /** What the bus says to the authentication; by default that it is fine. */
  readonly greeting?: (socket: Socket, line: string) => void;
  /** What the bus does with a call. Hello is answered already, unless this says otherwise. */
  readonly call?: (reply: (message: Omit<Outgoing, 'serial'>) => void, header: Header, socket: Socket) => void;
  readonly hello?: Value | null;
}

/** A bus that follows a script. @returns its name in the abstract namespace */
async function playBus(t: TestContext, { greeting, call = () => {}, hello = ':1.7' }: Script): Promise<string> {
  const path = `\0everlan-test-${process.pid}-${randomBytes(4).toString('hex')}`;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    let serial = 0;
    const send = (message: Omit<Outgoing, 'serial'>): void => {
      socket.write(encodeMessage({ sender: 'org.freedesktop.DBus', ...message, serial: ++serial }));
    };
    const frames = new Frames(LIMITS.message, {
      wants: () => true,
      message: (header, bytes, at) => {
        readBody(bytes, at, header);
        const back = (message: Omit<Outgoing, 'serial'>): void => send({ replySerial: header.serial, ...message });
        if (header.member !== 'Hello') call(back, header, socket);
        else if (hello !== null)
          back({ kind: 'return', signature: typeof hello === 'string' ? 's' : 'u', body: [hello] });
      },
      oversized: () => {},
    });
    let words = '';
    socket.on('data', (bytes) => {
      if (words.includes('BEGIN\r\n')) {
        frames.push(bytes);
        return;
      }
      words += bytes.toString('latin1');
      const begin = words.indexOf('BEGIN\r\n');
      if (begin >= 0) frames.push(Buffer.from(words.slice(begin + 7), 'latin1'));
      else if (greeting !== undefined) greeting(socket, words);
      else socket.write(`OK ${'0'.repeat(32)}\r\n`);
    });
  }).listen(path);
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return path;
}

interface Opened {
  readonly close: () => void;
  readonly ready: Promise<Bus>;
  readonly end: Promise<DBusError>;
  /** Every end that was told. */
  readonly ends: readonly DBusError[];
}

function open(t: TestContext, path: string, limits = LIMITS, signal: BusEvents['signal'] = () => {}): Opened {
  const ready = Promise.withResolvers<Bus>();
  const end = Promise.withResolvers<DBusError>();
  const ends: DBusError[] = [];
  const events: BusEvents = {
    ready: ready.resolve,
    wants: () => true,
    signal,
    end: (error) => {
      ends.push(error);
      end.resolve(error);
    },
  };
  const close = openBus(path, events, limits);
  t.after(close);
  return { close, ready: ready.promise, end: end.promise, ends };
}

const call = (bus: Bus, timeout = 60_000, destination = 'org.freedesktop.DBus'): Promise<Reply> =>
  new Promise((resolve) => {
    bus.call({ destination, path: '/', interface: 'a.b', member: 'c', timeout }, resolve);
  });

const errorOf = (reply: Reply): string => (reply.ok ? 'no error' : reply.error.name.replace(/^.*\./, ''));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const ENDINGS: readonly { name: string; in: Script; limits?: Partial<typeof LIMITS>; want: string }[] = [
  {
    name: 'authentication refused',
    in: { greeting: (socket) => socket.write('REJECTED ANONYMOUS\r\n') },
    want: 'AuthFailed',
  },
  { name: 'more than one line', in: { greeting: (socket) => socket.write('OK 00\r\nOK 00\r\n') }, want: 'AuthFailed' },
  { name: 'a line without end', in: { greeting: (socket) => socket.write('O'.repeat(5000)) }, want: 'AuthFailed' },
  {
    name: 'not a bus',
    in: { greeting: (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n') },
    want: 'AuthFailed',
  },
  { name: 'closed while authenticating', in: { greeting: (socket) => socket.end() }, want: 'Disconnected' },
  { name: 'torn down while authenticating', in: { greeting: (socket) => socket.destroy() }, want: 'Disconnected' },
  { name: 'silence', in: { greeting: () => {} }, limits: { greeting: 30 }, want: 'Timeout' },
  { name: 'silence after Hello', in: { hello: null }, limits: { greeting: 30 }, want: 'Timeout' },
  { name: 'Hello with a number', in: { hello: 7 }, want: 'InconsistentMessage' },
  {
    name: 'bytes that are no message',
    in: { greeting: (socket) => socket.write('OK 00\r\n', () => socket.write('x'.repeat(100))) },
    want: 'AuthFailed|InconsistentMessage',
  },
];

for (const { name, in: script, limits, want } of ENDINGS) {
  test(`the end is told once: ${name}`, async (t) => {
    const { end, ends } = open(t, await playBus(t, script), { ...LIMITS, ...limits });
    assert.match((await end).name, new RegExp(`^org\\.freedesktop\\.DBus\\.Error\\.(${want})$`));
    await turn();
    await turn();
    assert.equal(ends.length, 1);
  });
}

test('no bus', async (t) => {
  const { end } = open(t, `\0everlan-none-${randomBytes(4).toString('hex')}`);
  assert.equal((await end).name, 'org.freedesktop.DBus.Error.NoServer');
});

test('when the bus ends, calls fail, and later ones too', async (t) => {
  const path = await playBus(t, { call: (_, __, socket) => socket.destroy() });
  const { ready, end, ends } = open(t, path);
  const bus = await ready;
  const replies = await Promise.all([call(bus), call(bus)]);
  assert.deepEqual(replies.map(errorOf), ['Disconnected', 'Disconnected']);
  await end;
  assert.equal(errorOf(await call(bus)), 'Disconnected');
  bus.drop({ name: 'a.b', message: '' });
  assert.equal(ends.length, 1);
});

test('closed by us: calls fail, and no end is told', async (t) => {
  const { ready, close, ends } = open(t, await playBus(t, {}));
  const bus = await ready;
  const reply = call(bus);
  close();
  assert.equal(errorOf(await reply), 'Disconnected');
  await turn();
  assert.equal(ends.length, 0);
});

test('replies, in any order, and errors as values', async (t) => {
  const waiting: ((message: Omit<Outgoing, 'serial'>) => void)[] = [];
  const path = await playBus(t, {
    call: (reply) => {
      if (waiting.push(reply) < 3) return;
      waiting[2]?.({ kind: 'return', signature: 's', body: ['third'] });
      waiting[0]?.({ kind: 'error', errorName: 'a.b.Bad', signature: 's', body: ['words'] });
      waiting[1]?.({ kind: 'error', errorName: 'a.b.Mute' });
    },
  });
  const bus = await open(t, path).ready;
  assert.equal(bus.name, ':1.7');
  assert.deepEqual(await Promise.all([call(bus), call(bus), call(bus)]), [
    { ok: false, error: { name: 'a.b.Bad', message: 'words' } },
    { ok: false, error: { name: 'a.b.Mute', message: '' } },
    { ok: true, body: ['third'] },
  ]);
});

test('replies that nobody asked for, that come twice, or from another sender are ignored', async (t) => {
  const path = await playBus(t, {
    call: (reply, { serial }) => {
      reply({ kind: 'return', replySerial: serial + 1000, sender: ':1.5', signature: 's', body: ['of another call'] });
      reply({ kind: 'return', sender: ':1.66', signature: 's', body: ['of another sender'] });
      reply({ kind: 'return', sender: ':1.5', signature: 's', body: ['good'] });
      reply({ kind: 'return', sender: ':1.5', signature: 's', body: ['twice'] });
    },
  });
  const bus = await open(t, path).ready;
  assert.deepEqual(await call(bus, 60_000, ':1.5'), { ok: true, body: ['good'] });
});

test('no answer in time; the answer that comes after is ignored', async (t) => {
  const late: (() => void)[] = [];
  const path = await playBus(t, {
    call: (reply, { member }) => {
      if (member === 'c') late.push(() => reply({ kind: 'return', signature: 's', body: ['late'] }));
      else {
        for (const each of late) each();
        reply({ kind: 'return' });
      }
    },
  });
  const bus = await open(t, path).ready;
  assert.equal(errorOf(await call(bus, 10)), 'NoReply');
  assert.deepEqual(await new Promise((resolve) => bus.ask('Ping', '', [], resolve)), { ok: true, body: [] });
});

test('a call that was taken back is not answered', async (t) => {
  const bus = await open(t, await playBus(t, { call: (reply) => reply({ kind: 'return' }) })).ready;
  let answered = false;
  bus.ask('Ping', '', [], () => {
    answered = true;
  })();
  await call(bus);
  assert.equal(answered, false);
});

test('more calls than allowed are refused, and there is room again after a reply', async (t) => {
  const waiting: (() => void)[] = [];
  const path = await playBus(t, { call: (reply) => waiting.push(() => reply({ kind: 'return' })) });
  const bus = await open(t, path, { ...LIMITS, calls: 2 }).ready;
  const first = [call(bus), call(bus)];
  assert.equal(errorOf(await call(bus)), 'LimitsExceeded');
  while (waiting.length < 2) await turn();
  for (const answer of waiting.splice(0)) answer();
  await Promise.all(first);
  const another = call(bus);
  while (waiting.length < 1) await turn();
  waiting[0]?.();
  assert.equal((await another).ok, true);
});

test('a reply that is too large is an error of its own, and the connection goes on', async (t) => {
  const path = await playBus(t, {
    call: (reply, { member }) =>
      reply({ kind: 'return', signature: 'ay', body: [new Uint8Array(member === 'c' ? 100_000 : 10)] }),
  });
  const bus = await open(t, path, { ...LIMITS, message: 50_000 }).ready;
  assert.equal(errorOf(await call(bus)), 'LimitsExceeded');
  assert.deepEqual(await new Promise((resolve) => bus.ask('Small', '', [], resolve)), {
    ok: true,
    body: [new Uint8Array(10)],
  });
});

test('a body that is broken ends the connection', async (t) => {
  const path = await playBus(t, {
    call: (_, { serial }, socket) => {
      const bytes = encodeMessage({
        kind: 'return',
        serial: 99,
        replySerial: serial,
        sender: 'org.freedesktop.DBus',
        signature: 'b',
        body: [true],
      });
      bytes[bytes.length - 4] = 2;
      socket.write(bytes);
    },
  });
  const { ready, end } = open(t, path);
  assert.equal(errorOf(await call(await ready)), 'InconsistentMessage');
  assert.equal((await end).name, 'org.freedesktop.DBus.Error.InconsistentMessage');
});

test('signals come in their order; after close, none', async (t) => {
  const got: Value[] = [];
  const path = await playBus(t, {
    call: (_, __, socket) => {
      const all = Array.from({ length: 500 }, (___, i) =>
        encodeMessage({
          kind: 'signal',
          serial: i + 2,
          path: '/',
          interface: 'a.b',
          member: 'c',
          sender: ':1.1',
          signature: 'u',
          body: [i],
        }),
      );
      socket.write(Buffer.concat(all));
    },
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  const opened = open(t, path, LIMITS, (_, [value]) => {
    got.push(value ?? -1);
    if (value === 99) {
      opened.close();
      resolve();
    }
  });
  const bus = await opened.ready;
  call(bus);
  await promise;
  await turn();
  assert.deepEqual(
    got,
    Array.from({ length: 100 }, (_, i) => i),
  );
});
