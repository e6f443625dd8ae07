import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { NotifySocket } from '../../test/support/notify-socket.ts';
import { temporaryFolder } from '../../test/support/program.ts';
import { openService, type Service } from './service.ts';

interface Heard {
  readonly service: Service;
  readonly socket: NotifySocket;
  readonly failures: string[];
}

function listen(t: TestContext, more: Record<string, string> = {}): Heard {
  const address = `@everlan-service-${randomBytes(6).toString('hex')}`;
  const socket = new NotifySocket(address);
  t.after(() => socket.close());
  const failures: string[] = [];
  const service = openService({ NOTIFY_SOCKET: address, ...more }, (message) => failures.push(message));
  return { service, socket, failures };
}

test('what systemd hears', async (t) => {
  const { service, socket, failures } = listen(t);
  service.status('starts');
  service.ready();
  service.status('all is well');
  service.status('all is well');
  service.status(' all\n is\t\u0000well\n');
  service.tick();
  service.status('starts');
  service.ready();
  service.stopping();
  await socket.heard('STOPPING=1');
  assert.deepEqual(socket.lines, [
    'STATUS=starts',
    'READY=1',
    'STATUS=all is well',
    'WATCHDOG=1',
    'STATUS=starts',
    'READY=1',
    'STOPPING=1',
  ]);
  assert.deepEqual(failures, []);
});

test('reloading bears the time', async (t) => {
  const { service, socket } = listen(t);
  const now = (): number => Number(process.hrtime.bigint() / 1000n);
  const before = now();
  service.reloading();
  const after = now();
  service.stopping();
  await socket.heard('STOPPING=1');
  assert.equal(socket.lines[0], 'RELOADING=1');
  const usec = Number(/^MONOTONIC_USEC=(\d+)$/.exec(socket.lines[1] ?? '')?.[1]);
  assert.ok(before <= usec && usec <= after, `${before} ${usec} ${after}`);
});

test('a long status is one short line', async (t) => {
  const { service, socket } = listen(t);
  service.status('ü€😀'.repeat(1000));
  service.stopping();
  await socket.heard('STOPPING=1');
  const [status = ''] = socket.lines;
  assert.match(status, /^STATUS=.*…$/u);
  assert.ok(Buffer.byteLength(status) < 4096);
});

test('a failure is told once, until it works again', async (t) => {
  const address = join(temporaryFolder(t), 'notify');
  const failures: string[] = [];
  const service = openService({ NOTIFY_SOCKET: address }, (message) => failures.push(message));
  service.ready();
  service.status('one');
  assert.equal(failures.length, 1);
  assert.match(failures[0] ?? '', /ENOENT/);
  const socket = new NotifySocket(address);
  // What was not heard is said again.
  service.status('one');
  await socket.heard('STATUS=one');
  socket.close();
  service.tick();
  service.tick();
  assert.equal(failures.length, 2);
});

for (const environment of [{}, { NOTIFY_SOCKET: '' }, { WATCHDOG_USEC: '2000000' }]) {
  test(`nobody listens: ${JSON.stringify(environment)}`, () => {
    const service = openService(environment, (message) => assert.fail(message));
    assert.equal(service.watchdogMs, null);
    service.ready();
    service.status('text');
    service.reloading();
    service.stopping();
    service.tick();
  });
}

test('an address that we cannot speak to', () => {
  const failures: string[] = [];
  openService({ NOTIFY_SOCKET: 'vsock:2:1' }, (message) => failures.push(message)).ready();
  assert.equal(failures.length, 1);
});

const watchdogs: readonly { in: Record<string, string>; want: number | null }[] = [
  { in: { WATCHDOG_USEC: '3000000' }, want: 1500 },
  { in: { WATCHDOG_USEC: '3000000', WATCHDOG_PID: `${process.pid}` }, want: 1500 },
  { in: { WATCHDOG_USEC: '3000000', WATCHDOG_PID: '1' }, want: null },
  { in: { WATCHDOG_USEC: '1' }, want: 1 },
  { in: { WATCHDOG_USEC: '99999999999999999999' }, want: 0x7fffffff },
  { in: { WATCHDOG_USEC: '0' }, want: null },
  { in: { WATCHDOG_USEC: '-5' }, want: null },
  { in: { WATCHDOG_USEC: 'soon' }, want: null },
  { in: {}, want: null },
];
for (const { in: environment, want } of watchdogs) {
  test(`watchdog of ${JSON.stringify(environment)}: ${want}`, () => {
    assert.equal(openService({ NOTIFY_SOCKET: '@none', ...environment }, assert.fail).watchdogMs, want);
  });
}
