/** What the kernel tells of changes, and of whom: beside `ip` and `bridge`. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { type Hint, type HintKind, type HintWatch, watchChanges, watchHints } from '../src/kernel/hints.ts';
import { libc } from '../src/sys/libc.ts';
import { applier } from './support/apply.ts';
import { needsRoot, type TestHost, testHost } from './support/host.ts';

const SKIP = { skip: needsRoot };
const F_DUPFD_CLOEXEC = 1030; // <linux/fcntl.h>
const FAR_FD = 500;

class Heard {
  readonly hints: Hint[] = [];
  /** `lost`, `settled`, and errnos of sockets that died, in their order. */
  readonly told: string[] = [];
  readonly watch: HintWatch;
  #wake = (): void => {};

  constructor(t: TestContext, host: TestHost) {
    this.watch = watchHints(host.fd, {
      hint: (hint) => this.hints.push({ ...hint }),
      lost: () => this.told.push('lost'),
      settled: () => {
        this.told.push('settled');
        this.#wake();
      },
      broken: ({ code }) => {
        this.told.push(code);
        this.#wake();
      },
    });
    t.after(() => this.watch.close());
  }

  /** Settles once something was told and `enough` holds. */
  async until(enough: () => boolean): Promise<void> {
    while (!enough()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** A link that was told of only after everything before it. */
  async passed(host: TestHost): Promise<void> {
    host.ip('link add name mark0 type bridge');
    await this.until(() => this.hints.some(({ name, removed }) => name === 'mark0' && !removed));
    host.ip('link del mark0');
    await this.until(() => this.hints.some(({ name, removed }) => name === 'mark0' && removed));
  }

  forget(): void {
    this.hints.length = 0;
    this.told.length = 0;
  }
}

function indexOf(host: TestHost, link: string): number {
  const [row]: { ifindex: number }[] = JSON.parse(host.ip(`-j link show dev ${link}`));
  assert.ok(row !== undefined);
  return row.ifindex;
}

/** Runs it and tells its process id. */
function runs(host: TestHost, program: 'ip' | 'bridge', line: string, input?: string): number {
  const { pid, status, stderr } = spawnSync(program, ['-n', host.name, ...line.split(' ')], {
    encoding: 'utf8',
    input,
  });
  assert.equal(status, 0, stderr);
  return pid;
}

/** `whose`: what the kernel tells of who asked; a cascade of other changes comes from the kernel itself. */
const changes: readonly {
  program: 'ip' | 'bridge';
  line: string;
  kind: HintKind;
  removed?: true;
  whose: 'its' | 'nobody';
}[] = [
  {
    ...{ program: 'ip', kind: 'link', whose: 'nobody' },
    line: 'link add vxlan0 type vxlan id 7 dstport 4789 dev eth0 local 10.0.0.1 remote 10.0.0.2',
  },
  { program: 'ip', line: 'link set vxlan0 up', kind: 'link', whose: 'nobody' },
  { program: 'ip', line: 'link set vxlan0 mtu 1400', kind: 'link', whose: 'nobody' },
  { program: 'ip', line: 'link set vxlan0 alias other', kind: 'link', whose: 'nobody' },
  { program: 'ip', line: 'link set vxlan0 address 02:00:00:00:00:11', kind: 'link', whose: 'nobody' },
  { program: 'ip', line: 'link set vxlan0 type vxlan id 7 ageing 10', kind: 'link', whose: 'nobody' },
  { program: 'ip', line: 'addr add 10.7.0.1/24 dev vxlan0', kind: 'address', whose: 'its' },
  { program: 'ip', line: 'addr add fd07::1/64 dev vxlan0 nodad', kind: 'address', whose: 'nobody' },
  { program: 'ip', line: 'route add 10.9.0.0/24 via 10.7.0.2 dev vxlan0', kind: 'route', whose: 'its' },
  { program: 'ip', line: 'route del 10.9.0.0/24 dev vxlan0', kind: 'route', removed: true, whose: 'its' },
  { program: 'ip', line: 'route add fd09::/64 via fd07::2 dev vxlan0', kind: 'route', whose: 'its' },
  { program: 'ip', line: 'route del fd09::/64 dev vxlan0', kind: 'route', removed: true, whose: 'its' },
  {
    ...{ program: 'ip', kind: 'neighbour', whose: 'its' },
    line: 'neigh add 10.7.0.9 lladdr 02:00:00:00:00:99 dev vxlan0 nud permanent',
  },
  // Whoever deletes one first makes it fail, and that is told as theirs; that it is gone, as the kernel's.
  { program: 'ip', line: 'neigh del 10.7.0.9 dev vxlan0', kind: 'neighbour', whose: 'its' },
  {
    ...{ program: 'ip', kind: 'neighbour', whose: 'its' },
    line: 'neigh add fd07::9 lladdr 02:00:00:00:00:99 dev vxlan0 nud permanent',
  },
  { program: 'bridge', line: 'fdb append 00:00:00:00:00:00 dev vxlan0 dst 10.0.0.3', kind: 'fdb', whose: 'nobody' },
  {
    ...{ program: 'bridge', kind: 'fdb', removed: true, whose: 'nobody' },
    line: 'fdb del 00:00:00:00:00:00 dev vxlan0 dst 10.0.0.3',
  },
  { program: 'ip', line: 'addr del fd07::1/64 dev vxlan0', kind: 'address', removed: true, whose: 'nobody' },
  { program: 'ip', line: 'addr del 10.7.0.1/24 dev vxlan0', kind: 'address', removed: true, whose: 'its' },
  { program: 'ip', line: '-echo link del vxlan0', kind: 'link', removed: true, whose: 'its' },
];

test('each kind of change, and whose it is', SKIP, async (t) => {
  const host = testHost(t);
  const heard = new Heard(t, host);
  let index = 0;
  for (const { program, line, kind, removed = false, whose } of changes) {
    const pid = runs(host, program, line);
    if (line.startsWith('link add')) index = indexOf(host, 'vxlan0');
    const fits = (hint: Hint): boolean => hint.kind === kind && hint.removed === removed && hint.index === index;
    const pids = (): number[] => heard.hints.filter(fits).map((hint) => hint.pid);
    await heard.until(() => pids().some((found) => whose === 'nobody' || found !== 0));
    assert.ok(
      pids().every((found) => found === 0 || (whose === 'its' && found === pid)),
      `${line}: told of ${pids()}, it was ${pid}`,
    );
    heard.forget();
  }
  assert.deepEqual(heard.told, []);
});

test('names, protocols and states', SKIP, async (t) => {
  const host = testHost(t);
  host.ip('link add vxlan0 type vxlan id 7 dstport 4789');
  const heard = new Heard(t, host);
  host.ip('link set vxlan0 up');
  host.ip('route add 10.9.0.0/24 dev vxlan0 proto 119');
  host.ip('neigh add 10.9.0.9 lladdr 02:00:00:00:00:99 dev vxlan0 nud permanent');
  host.ip('link del vxlan0');
  await heard.until(() => heard.hints.some(({ kind, removed }) => kind === 'link' && removed));
  const names = new Set(heard.hints.filter(({ kind }) => kind === 'link').map(({ name }) => name));
  assert.deepEqual(names, new Set(['vxlan0']));
  assert.ok(heard.hints.some(({ kind, protocol }) => kind === 'route' && protocol === 119));
  assert.ok(heard.hints.some(({ kind, state }) => kind === 'neighbour' && state === 0x80));
});

test('a link that leaves its bridge is not told to be gone', SKIP, async (t) => {
  const host = testHost(t);
  host.ip('link add name bridge0 type bridge');
  host.ip('link add vxlan0 type vxlan id 7 dstport 4789');
  host.ip('link set vxlan0 master bridge0');
  const heard = new Heard(t, host);
  const index = indexOf(host, 'vxlan0');
  host.ip('link set vxlan0 nomaster');
  await heard.passed(host);
  const links = heard.hints.filter((hint) => hint.kind === 'link' && hint.index === index);
  assert.ok(links.length > 0);
  assert.deepEqual(new Set(links.map(({ removed }) => removed)), new Set([false]));
});

const FILE = `fabric: test
hosts: {alpha: 10.0.0.1, beta: 10.0.0.2}
overlays:
  vxlan0:
    vni: 77
    hosts: {alpha: 169.254.0.1/24, beta: 169.254.0.2/24}
    routes: [{to: 10.9.0.0/24, via: beta}]
`;

test('our own changes bear our port id', SKIP, async (t) => {
  const host = testHost(t);
  const heard = new Heard(t, host);
  const { portId } = host.kernel;
  assert.equal(host.kernel.portId, portId);
  applier(host).apply(FILE);
  await heard.passed(host);
  for (const kind of ['address', 'route'] as const) {
    const ours = heard.hints.filter((hint) => hint.kind === kind && hint.pid === portId);
    assert.equal(ours.length, 1, kind);
  }
});

test('our own changes are passed over, later ones of others are not', SKIP, async (t) => {
  const host = testHost(t);
  const heard = new Heard(t, host);
  applier(host).apply(FILE);
  const index = indexOf(host, 'vxlan0');
  heard.watch.forget();
  await heard.passed(host);
  assert.deepEqual(
    heard.hints.filter((hint) => hint.index === index && hint.kind !== 'route' && hint.removed),
    [],
  );
  assert.deepEqual(
    heard.hints.filter((hint) => hint.index === index && hint.kind === 'fdb'),
    [],
  );
});

test('more than fits is told as lost, once and at the end, and what comes after is heard', SKIP, async (t) => {
  const host = testHost(t);
  host.ip('link add vxlan0 type vxlan id 7 dstport 4789');
  const heard = new Heard(t, host);
  const rows = Array.from({ length: 60_000 }, (_, i) => {
    const mac = `02:00:00:${[i >> 16, (i >> 8) & 255, i & 255].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
    return `fdb append ${mac} dev vxlan0 dst 10.0.0.2\n`;
  });
  // The event loop stands still meanwhile.
  runs(host, 'bridge', '-batch -', rows.join(''));
  await heard.until(() => heard.told.includes('lost'));
  const at = heard.told.indexOf('lost');
  assert.deepEqual(heard.told.slice(at, at + 2), ['lost', 'settled']);
  assert.ok(heard.hints.length < rows.length);
  heard.forget();
  await heard.passed(host);
  assert.ok(!heard.told.includes('lost'));
});

test('what is passed over is not lost', SKIP, async (t) => {
  const host = testHost(t);
  host.ip('link add vxlan0 type vxlan id 7 dstport 4789');
  const heard = new Heard(t, host);
  const rows = Array.from(
    { length: 250 },
    (_, i) => `fdb append 02:00:00:00:00:${i.toString(16).padStart(2, '0')} dev vxlan0 dst 10.0.0.2\n`,
  );
  runs(host, 'bridge', '-batch -', rows.join(''));
  heard.watch.forget();
  await heard.passed(host);
  assert.ok(!heard.told.includes('lost'));
  const index = indexOf(host, 'vxlan0');
  assert.ok(!heard.hints.some((hint) => hint.kind === 'fdb' && hint.index === index));
});

/** The descriptors of sockets that are open. */
function sockets(): Set<number> {
  const found = new Set<number>();
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${name}`).startsWith('socket:')) found.add(Number(name));
    } catch {
      // The descriptor of the folder itself.
    }
  }
  return found;
}

/** Puts something that is no socket in the place of one, which stays alive elsewhere and goes on waking the loop. */
function spoil(fd: number): () => void {
  const elsewhere = libc.fcntl(fd, F_DUPFD_CLOEXEC, FAR_FD);
  const nothing = openSync('/dev/null', 'r');
  libc.close(fd);
  assert.equal(libc.fcntl(nothing, F_DUPFD_CLOEXEC, fd), fd);
  closeSync(nothing);
  return () => libc.close(elsewhere);
}

test('a socket that died is opened again, every time', SKIP, async (t) => {
  const host = testHost(t);
  const before = sockets();
  const heard = new Heard(t, host);
  for (let time = 1; time <= 2; time++) {
    const [fd, ...more] = sockets().difference(before);
    assert.ok(fd !== undefined && more.length === 0);
    // Only what the loop watches already can be spoilt without ending the program.
    await heard.passed(host);
    const end = spoil(fd);
    host.ip('link add name lost0 type bridge');
    await heard.until(() => heard.told.includes('ENOTSOCK'));
    end();
    heard.forget();
    await heard.passed(host);
    host.ip('link del lost0');
    await heard.passed(host);
    heard.forget();
  }
});

test('a listener may close it', SKIP, async (t) => {
  const host = testHost(t);
  const heard = new Heard(t, host);
  let hints = 0;
  const watch = watchHints(host.fd, {
    hint: () => {
      hints++;
      watch.close();
    },
    lost: () => assert.fail('closed'),
    settled: () => assert.fail('closed'),
    broken: () => assert.fail('closed'),
  });
  host.ip('link set far0 down');
  await heard.passed(host);
  assert.equal(hints, 1);
  watch.close();
});

test('changes alone', SKIP, async (t) => {
  const host = testHost(t);
  const { promise, resolve } = Promise.withResolvers<void>();
  const watch = watchChanges(host.fd, resolve);
  t.after(() => watch.close());
  host.ip('link set far0 down');
  await promise;
});
