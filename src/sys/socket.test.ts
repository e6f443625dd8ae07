import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { check, libc } from './libc.ts';
import { close, onReadable, openSocket, receive, receiveFrom, send, sendTo, setOption } from './socket.ts';

// <linux/socket.h>, <linux/net.h>, <asm-generic/socket.h>
const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;

/** A UDP socket on a port of the kernel's choice on 127.0.0.1, and its address. */
function udp(): { fd: number; address: Uint8Array } {
  const fd = openSocket(AF_INET, SOCK_DGRAM, 0);
  const address = new Uint8Array([AF_INET, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  check('bind', libc.bind(fd, address, address.length));
  check('getsockname', libc.getsockname(fd, address, new Uint32Array([16])));
  return { fd, address };
}

test('datagrams go and come, with their sender, their whole length and their bytes', () => {
  const a = udp();
  const b = udp();
  try {
    const buffer = new Uint8Array(8);
    const from = new Uint8Array(16);
    assert.equal(receive(b.fd, buffer), -1);
    assert.equal(receiveFrom(b.fd, buffer, from), -1);
    assert.equal(sendTo(a.fd, new Uint8Array([1, 2, 3]), b.address), 3);
    assert.equal(receiveFrom(b.fd, buffer, from), 3);
    assert.deepEqual([...buffer], [1, 2, 3, 0, 0, 0, 0, 0]);
    assert.deepEqual(from, a.address);
    check('connect', libc.connect(a.fd, b.address, 16));
    assert.equal(send(a.fd, new Uint8Array(100).fill(7).subarray(50)), 50);
    assert.equal(receive(b.fd, buffer.subarray(4)), 50, 'the real length of what was cut');
    assert.deepEqual([...buffer], [1, 2, 3, 0, 7, 7, 7, 7]);
  } finally {
    close(a.fd);
    close(b.fd);
  }
});

test('readiness calls back until closed', async () => {
  const a = udp();
  const b = udp();
  try {
    const seen: number[] = [];
    const buffer = new Uint8Array(8);
    await new Promise<void>((resolve) => {
      const watch = onReadable(b.fd, () => {
        while (receive(b.fd, buffer) !== -1) seen.push(buffer[0] ?? 0);
        if (seen.length < 3) sendTo(a.fd, new Uint8Array([seen.length + 1]), b.address);
        else {
          watch.close();
          resolve();
        }
      });
      sendTo(a.fd, new Uint8Array([1]), b.address);
    });
    assert.deepEqual(seen, [1, 2, 3]);
    sendTo(a.fd, new Uint8Array([4]), b.address);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(receive(b.fd, buffer), 1, 'left alone after close');
  } finally {
    close(a.fd);
    close(b.fd);
  }
});

test('refusals are errors that name the call', () => {
  assert.throws(() => openSocket(255, 1, 0), { name: 'SysError', call: 'socket', code: 'EAFNOSUPPORT' });
  assert.throws(() => receive(-1, new Uint8Array(1)), { call: 'recv', code: 'EBADF' });
  assert.throws(() => send(-1, new Uint8Array(1)), { call: 'send', code: 'EBADF' });
  const { fd } = udp();
  assert.throws(() => setOption(fd, SOL_SOCKET, 9999, 1), { call: 'setsockopt', code: 'ENOPROTOOPT' });
  setOption(fd, SOL_SOCKET, SO_RCVBUF, 5000);
  const value = new Int32Array(1);
  check('getsockopt', libc.getsockopt(fd, SOL_SOCKET, SO_RCVBUF, value, new Uint32Array([4])));
  assert.equal(value[0], 10000, 'the kernel doubles it (socket(7))');
  close(fd);
});

test('sockets are closed on exec and do not block', () => {
  const { fd } = udp();
  const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8);
  close(fd);
  assert.equal(flags & 0o2004000, 0o2004000, 'O_CLOEXEC and O_NONBLOCK');
});

test('to import is not to load: koffi comes with the first call', () => {
  const files = readdirSync(import.meta.dirname).filter((file) => /^[a-z-]+\.ts$/.test(file));
  assert.ok(files.length >= 7);
  const imports = files.map((file) => `await import(${JSON.stringify(new URL(file, import.meta.url).href)});`);
  const script = `import { readFileSync } from 'node:fs';
    const loaded = () => readFileSync('/proc/self/maps', 'utf8').includes('koffi.node');
    ${imports.join('\n')}
    const { libc } = await import(${JSON.stringify(new URL('libc.ts', import.meta.url).href)});
    const before = loaded();
    libc.close(-1);
    process.stdout.write(JSON.stringify([before, loaded()]));`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.equal(run.stdout, '[false,true]', run.stderr);
});
