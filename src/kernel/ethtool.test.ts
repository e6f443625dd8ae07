import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { check, koffi, libc } from '../sys/libc.ts';
import { createNamespace, deleteNamespace, openNamespace } from '../sys/netns.ts';
import { close, openSocket } from '../sys/socket.ts';
import { readTxChecksum, writeTxChecksum } from './ethtool.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root: makes a network namespace';
const name = `elethtool${process.pid}`;
const AF_NETLINK = 16; // <linux/socket.h>
const AF_INET = 2;
const SOCK_RAW = 3; // <linux/net.h>
const SOCK_DGRAM = 2;

/**
 * Whether NETIF_F_HW_CSUM (bit 3, <linux/netdev_features.h>) is active, asked another way: ETHTOOL_GFEATURES (0x3a) with
 * two blocks of {available, requested, active, never_changed}.
 */
function hardwareChecksumActive(fd: number, link: string): boolean {
  const blocks = new Uint32Array([0x3a, 2, ...new Array<number>(8).fill(0)]);
  const request = Buffer.alloc(40);
  request.write(link);
  request.writeBigUInt64LE(koffi().address(blocks.buffer), 16);
  check('ioctl', libc.ioctl(fd, 0x8946, request));
  return ((blocks[4] ?? 0) & (1 << 3)) !== 0;
}

function ip(...args: string[]): void {
  const run = spawnSync('ip', ['-n', name, ...args], { encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
}

test('transmit checksum offload of a vxlan link', { skip }, async (t) => {
  createNamespace(name);
  const namespace = openNamespace(name);
  // A netlink socket does as well as any: the one that everything else uses.
  const fd = openSocket(AF_NETLINK, SOCK_RAW, 0, { netns: namespace.fd });
  try {
    for (let vni = 1; vni <= 3; vni++)
      ip('link', 'add', `vx${vni}`, 'type', 'vxlan', 'id', `${vni}`, 'dstport', '4789');

    await t.test('is on at first, switches, and only on that link', () => {
      assert.equal(readTxChecksum(fd, 'vx1'), true);
      writeTxChecksum(fd, 'vx1', false);
      assert.equal(readTxChecksum(fd, 'vx1'), false);
      assert.equal(readTxChecksum(fd, 'vx2'), true);
      writeTxChecksum(fd, 'vx1', false);
      assert.equal(readTxChecksum(fd, 'vx1'), false);
      writeTxChecksum(fd, 'vx1', true);
      assert.equal(readTxChecksum(fd, 'vx1'), true);
    });

    await t.test('is what the kernel then does by its list of features', () => {
      for (const on of [false, true]) {
        writeTxChecksum(fd, 'vx3', on);
        assert.equal(hardwareChecksumActive(fd, 'vx3'), on);
      }
    });

    await t.test('a new link of the same name starts anew', () => {
      writeTxChecksum(fd, 'vx2', false);
      ip('link', 'del', 'vx2');
      assert.equal(readTxChecksum(fd, 'vx2'), null);
      ip('link', 'add', 'vx2', 'type', 'vxlan', 'id', '2', 'dstport', '4789');
      assert.equal(readTxChecksum(fd, 'vx2'), true);
    });

    await t.test('names of every length, one after the other, do not mix', () => {
      ip('link', 'add', 'vx2vx2vx2vx2vx2', 'type', 'vxlan', 'id', '9', 'dstport', '4789');
      writeTxChecksum(fd, 'vx2vx2vx2vx2vx2', false);
      assert.equal(readTxChecksum(fd, 'vx2'), true);
      assert.equal(readTxChecksum(fd, 'vx2vx2vx2vx2vx2'), false);
    });

    await t.test('a UDP socket does as well, and stays in its namespace', () => {
      const here = openSocket(AF_INET, SOCK_DGRAM, 0);
      const there = openSocket(AF_INET, SOCK_DGRAM, 0, { netns: namespace.fd });
      try {
        assert.equal(readTxChecksum(here, 'vx2vx2vx2vx2vx2'), null);
        assert.equal(readTxChecksum(there, 'vx2vx2vx2vx2vx2'), false);
      } finally {
        close(here);
        close(there);
      }
    });

    await t.test('what cannot be is an error', () => {
      assert.throws(() => writeTxChecksum(fd, 'none', true), { name: 'SysError', code: 'ENODEV' });
      assert.throws(() => readTxChecksum(fd, 'x'.repeat(16)), { code: 'EINVAL' });
      assert.throws(() => readTxChecksum(-1, 'vx1'), { code: 'EBADF' });
    });
  } finally {
    close(fd);
    namespace.close();
    deleteNamespace(name);
  }
});
