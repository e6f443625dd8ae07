import assert from 'node:assert/strict';
import { test } from 'node:test';
import { routePorts } from './netlink-users.ts';

const TABLE = `sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
0000000000000000 0   4123       000001d5 0        0        0     2        0        30381
0000000000000000 0   3164881713 00000000 0        0        0     2        0        30382
0000000000000000 0   0          00000000 0        0        0     2        0        4
0000000000000000 16  812        00000000 0        0        0     2        0        30383
`;

test('the ports of NETLINK_ROUTE sockets, not the kernel’s own', () => {
  assert.deepEqual(routePorts(TABLE), [4123, 3164881713]);
  assert.deepEqual(routePorts(''), []);
});
