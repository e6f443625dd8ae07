/** The link as everlan prints it, against the real `ip -d link show`, byte for byte. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { linkDetails } from '../src/kernel/link-details.ts';
import { showLink } from '../src/lab/show.ts';
import { createNamespace, deleteNamespace, openNamespace } from '../src/sys/netns.ts';

const version = spawnSync('ip', ['-V'], { encoding: 'utf8' }).stdout ?? '';
const known = version.includes('iproute2-6.1.');
const skip =
  process.getuid?.() !== 0
    ? 'needs root: makes a network namespace'
    : known
      ? false
      : `compares with the words of iproute2 6.1, and here is: ${version.trim() || 'none'}`;

const cases = [
  'id 77 remote 10.10.0.4 dstport 4789 dev d0',
  'id 77 dstport 4789',
  'id 5 local 10.0.0.4 dstport 8472 dev d0 ttl 64 tos 0x1c df inherit ageing 60 maxaddress 9',
  'id 6 group 239.1.1.1 dstport 4789 dev d0 ttl inherit tos inherit df set nolearning noudpcsum',
  'id 7 remote 10.9.9.9 dstport 4789 proxy rsc l2miss l3miss srcport 1000 2000 remcsumtx remcsumrx gbp',
  'id 8 remote fd00::1 local fd00::2 dstport 4789 flowlabel 0x600 udp6zerocsumtx udp6zerocsumrx ttl 3',
  'external dstport 4790',
];

test('a link is printed as ip prints it', { skip }, async (t) => {
  const name = `ellabshow${process.pid}`;
  const ip = (...args: string[]) => {
    const done = spawnSync('ip', ['-n', name, ...args], { encoding: 'utf8' });
    assert.equal(done.status, 0, `ip ${args.join(' ')}: ${done.stderr}`);
    return done.stdout;
  };
  createNamespace(name);
  const netns = openNamespace(name);
  try {
    ip('link', 'add', 'd0', 'type', 'veth', 'peer', 'name', 'd1');
    ip('link', 'set', 'd0', 'up');
    ip('addr', 'add', '10.0.0.4/24', 'dev', 'd0');
    const compare = () => {
      const link = linkDetails(netns.fd, 'vx');
      assert.ok(link);
      assert.equal(`${showLink(link).join('\n')}\n`, ip('-d', 'link', 'show', 'vx'));
    };
    for (const options of cases) {
      await t.test(options, () => {
        ip('link', 'add', 'vx', 'type', 'vxlan', ...options.split(' '));
        compare();
        ip('link', 'set', 'vx', 'alias', 'everlan:article/vxlan0', 'group', '77', 'up');
        compare();
        ip('link', 'delete', 'vx');
      });
    }
  } finally {
    netns.close();
    deleteNamespace(name);
  }
});

test('a link that is not there', { skip: process.getuid?.() === 0 ? false : 'needs root' }, () => {
  const name = `ellabnone${process.pid}`;
  createNamespace(name);
  const netns = openNamespace(name);
  try {
    assert.equal(linkDetails(netns.fd, 'vx'), null);
  } finally {
    netns.close();
    deleteNamespace(name);
  }
});
