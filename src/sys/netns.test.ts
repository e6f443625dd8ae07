import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { hasCode } from './errno.ts';
import {
  cookieOf,
  createNamespace,
  deleteNamespace,
  inNamespace,
  namespaceExists,
  openNamespace,
  writeSysctl,
} from './netns.ts';
import { close, onReadable, openSocket, receive, send } from './socket.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root: makes network namespaces';
const unique = `elsys${process.pid}`;
const own = () => readlinkSync('/proc/thread-self/ns/net');

/** A namespace for the length of one test. */
function withNamespace(name: string, work: (fd: number) => void | Promise<void>): () => Promise<void> {
  return async () => {
    createNamespace(name);
    try {
      const namespace = openNamespace(name);
      try {
        await work(namespace.fd);
      } finally {
        namespace.close();
      }
    } finally {
      deleteNamespace(name);
    }
  };
}

const badNames = ['', '.', '..', '-x', 'a/b', '../x', 'a\0b', 'x'.repeat(256)];

for (const name of badNames) {
  test(`no namespace can be called ${JSON.stringify(name.slice(0, 10))}`, () => {
    for (const use of [openNamespace, createNamespace, deleteNamespace]) {
      assert.throws(
        () => use(name),
        (error) => hasCode(error, 'EINVAL'),
      );
    }
  });
}

test('an unknown name is ENOENT', () => {
  assert.throws(() => openNamespace(`${unique}-none`), { name: 'SysError', code: 'ENOENT', errno: 2 });
  assert.equal(namespaceExists(`${unique}-none`), false);
});

test('a file that is no namespace is refused, and we stay where we were', { skip }, () => {
  const before = own();
  const file = openNamespace('/etc/passwd');
  try {
    assert.throws(() => inNamespace(file.fd, own), { code: 'EINVAL' });
  } finally {
    file.close();
  }
  assert.equal(own(), before);
});

test(
  'work runs inside, and we come back also when it throws',
  { skip },
  withNamespace(`${unique}-in`, (fd) => {
    const before = own();
    assert.notEqual(inNamespace(fd, own), before);
    assert.equal(own(), before);
    assert.throws(
      () =>
        inNamespace(fd, () => {
          throw new Error('boom');
        }),
      /boom/,
    );
    assert.equal(own(), before);
    assert.throws(() => inNamespace(fd, async () => 1), /synchronous/);
  }),
);

test(
  'a cookie tells namespaces apart and stays',
  { skip },
  withNamespace(`${unique}-cookie`, (fd) => {
    assert.notEqual(cookieOf(fd), cookieOf());
    assert.equal(cookieOf(fd), cookieOf(fd));
    assert.equal(inNamespace(fd, cookieOf), cookieOf(fd));
  }),
);

test(
  'a name that is taken is EEXIST and stays; deleted, it is gone',
  { skip },
  withNamespace(`${unique}-twice`, () => {
    assert.throws(() => createNamespace(`${unique}-twice`), { code: 'EEXIST' });
    assert.equal(namespaceExists(`${unique}-twice`), true);
    createNamespace(`${unique}-gone`);
    deleteNamespace(`${unique}-gone`);
    assert.equal(existsSync(`/run/netns/${unique}-gone`), false);
    assert.throws(() => deleteNamespace(`${unique}-gone`), { code: 'ENOENT' });
  }),
);

test(
  'ip netns knows what we made, and we what it made',
  { skip },
  withNamespace(`${unique}-ip`, () => {
    const links = spawnSync('ip', ['-j', '-n', `${unique}-ip`, 'link'], { encoding: 'utf8' });
    assert.equal(links.status, 0, links.stderr);
    assert.equal(JSON.parse(links.stdout)[0].ifname, 'lo');
    const theirs = `${unique}-theirs`;
    assert.equal(spawnSync('ip', ['netns', 'add', theirs]).status, 0);
    try {
      assert.equal(namespaceExists(theirs), true);
    } finally {
      deleteNamespace(theirs);
    }
  }),
);

test(
  'a setting is written in the namespace only',
  { skip },
  withNamespace(`${unique}-ctl`, (fd) => {
    const show = (...where: string[]) =>
      spawnSync('ip', [...where, 'cat', '/proc/sys/net/ipv4/ip_forward'], { encoding: 'utf8' }).stdout.trim();
    inNamespace(fd, () => writeSysctl('/proc/sys/net/ipv4/ip_forward', 1));
    assert.equal(show('netns', 'exec', `${unique}-ctl`), '1');
    inNamespace(fd, () => writeSysctl('/proc/sys/net/ipv4/ip_forward', '0'));
    assert.equal(show('netns', 'exec', `${unique}-ctl`), '0');
    assert.throws(() => inNamespace(fd, () => writeSysctl('/proc/sys/net/ipv4/none', 1)), { code: 'ENOENT' });
  }),
);

test('only settings of the network are written', () => {
  for (const path of [
    '/proc/sys/kernel/panic',
    '/proc/sys/net/../kernel/panic',
    '/etc/passwd',
    'net/ipv4/ip_forward',
  ]) {
    assert.throws(() => writeSysctl(path, 1), { code: 'EINVAL' });
  }
});

test(
  'a netlink socket made in a namespace sees that namespace, and tells when there is an answer',
  { skip },
  withNamespace(`${unique}-nl`, async (fd) => {
    // RTM_GETLINK with NLM_F_REQUEST | NLM_F_DUMP, an empty ifinfomsg (rtnetlink(7)).
    const request = new Uint8Array(32);
    request.set([32, 0, 0, 0, 18, 0, 1, 3, 1]);
    const socket = openSocket(16, 3, 0, { netns: fd });
    try {
      const buffer = new Uint8Array(65536);
      assert.equal(receive(socket, buffer), -1);
      const readable = new Promise<void>((resolve) => {
        const watch = onReadable(socket, () => {
          watch.close();
          resolve();
        });
      });
      assert.equal(send(socket, request), 32);
      await readable;
      const cut = receive(socket, buffer.subarray(0, 4));
      assert.ok(cut > 32, 'the real length of a message that was cut');
      assert.throws(() => send(socket, new Uint8Array(1 << 20)), { name: 'SysError' });
    } finally {
      close(socket);
    }
  }),
);

// The demo runs without root where the kernel allows user namespaces; then /run is a tmpfs of our own.
test('all of it works in a user namespace', (t) => {
  const may = spawnSync('unshare', ['-Urnm', 'true']);
  if (may.status !== 0) return t.skip('unshare -Urnm is refused here');
  const inner = ['mount', '-t', 'tmpfs', 'tmpfs', '/run'];
  const script = fileURLToPath(new URL('netns.rootless.ts', import.meta.url));
  const run = spawnSync('unshare', ['-Urnm', process.execPath, script, ...inner], { encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  assert.match(run.stdout, /done\n$/);
});
