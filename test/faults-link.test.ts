/** What people and programs do to a host's own links while an agent keeps them: injected for real, healed, and told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeTxChecksum } from '../src/kernel/ethtool.ts';
import { stableMac } from '../src/model/mac.ts';
import { close, openSocket } from '../src/sys/socket.ts';
import { agentsOn, type Host, LIMITS, site } from './support/agent.ts';

const AF_INET = 2; // <linux/socket.h>
const SOCK_DGRAM = 2; // <linux/net.h>

function switchOffloadOn({ fd: netns }: Host, link: string): void {
  const socket = openSocket(AF_INET, SOCK_DGRAM, 0, { netns });
  writeTxChecksum(socket, link, true);
  close(socket);
}

interface Fault {
  readonly name: string;
  /** Options of its overlay. */
  readonly options?: string;
  /** Commands, all done in one go; LINK, BRIDGE, ID, NUMBER, FABRIC, MAC (beta's) and NETWORK (behind beta) stand for the overlay's own. */
  readonly ip?: readonly string[];
  readonly bridge?: readonly string[];
  readonly act?: (host: Host, link: string) => void;
  /** What the agent says, with the same words replaced. */
  readonly says: string;
  /** Whether the link itself is made anew. */
  readonly anew?: true;
  /** Whether the agent stands still until all of it is done. */
  readonly frozen?: true;
}

const STATIC = 'neighbours: static';

const faults: readonly Fault[] = [
  {
    name: 'fault 1: the link is deleted',
    ip: ['link del LINK'],
    says: 'link LINK is missing.*: put right',
    anew: true,
  },
  {
    name: 'the link is renamed',
    ip: ['link set LINK name other'],
    says: 'link other should not be there; link LINK is missing.*: put right',
    anew: true,
  },
  {
    name: 'fault 3: the link is set down',
    ip: ['link set LINK down'],
    says: 'link LINK: up is off, not on.*: put right',
  },
  {
    name: 'fault 3: down and up, which loses neighbours, routes and IPv6 addresses',
    options: STATIC,
    ip: ['link set LINK down', 'link set LINK up'],
    says: '(address \\S+|neighbour .*|route .*) on LINK is missing.*: put right',
  },
  {
    name: 'fault 5: another MAC, which loses all neighbours',
    options: STATIC,
    ip: ['link set LINK address 02:00:00:00:00:99'],
    says: 'link LINK: mac is 02:00:00:00:00:99.*: put right',
  },
  {
    name: 'fault 7: a static row is deleted',
    options: STATIC,
    bridge: ['fdb del MAC dev LINK dst 10.0.0.5'],
    says: 'MAC at 10.0.0.5 on LINK is missing.*: put right',
  },
  {
    name: 'fault 7: a learned row takes the place of a static one',
    options: STATIC,
    bridge: ['fdb del MAC dev LINK dst 10.0.0.5', 'fdb add MAC dev LINK dst 10.0.0.9 self dynamic'],
    frozen: true,
    says: 'MAC at 10.0.0.5 on LINK is missing.*: put right',
  },
  {
    name: 'fault 7: a static row is turned into a learned one',
    options: STATIC,
    bridge: ['fdb replace MAC dev LINK dst 10.0.0.5 self dynamic'],
    says: 'MAC at 10.0.0.5 on LINK is missing.*: put right',
  },
  {
    name: 'fault 25: all rows are flushed',
    options: `${STATIC}, remotes: [10.0.0.77]`,
    bridge: ['fdb flush dev LINK self'],
    says: 'on LINK is missing.*: put right',
  },
  {
    name: 'all neighbours are flushed',
    options: STATIC,
    ip: ['neigh flush dev LINK nud permanent'],
    says: 'neighbour .* on LINK is missing.*: put right',
  },
  {
    name: 'all addresses are flushed',
    ip: ['addr flush dev LINK'],
    says: 'address \\S+ on LINK is missing.*: put right',
  },
  {
    name: 'a route is deleted',
    ip: ['route del NETWORK dev LINK'],
    says: 'route NETWORK via .* on LINK is missing.*: put right',
  },
  { name: 'another MTU', ip: ['link set LINK mtu 1300'], says: 'link LINK: mtu is 1300, not 1450.*: put right' },
  {
    name: 'another peer',
    ip: ['link set LINK type vxlan id ID remote 10.0.0.77'],
    says: 'link LINK: remote is 10.0.0.77, not 10.0.0.5.*: put right',
  },
  {
    name: 'the link is put into a bridge',
    ip: ['link add stray type bridge', 'link set LINK master stray'],
    says: 'LINK in bridge stray should not be there.*: put right',
  },
  {
    name: 'the overlay’s bridge is deleted',
    options: 'bridge: BRIDGE',
    ip: ['link del BRIDGE'],
    says: 'bridge BRIDGE is missing.*: put right',
  },
  {
    name: 'the link is taken out of the overlay’s bridge',
    options: 'bridge: BRIDGE',
    ip: ['link set LINK nomaster'],
    says: 'LINK in bridge BRIDGE is missing.*: put right',
  },
  {
    name: 'the mark that makes it ours is taken away',
    ip: ['link set LINK alias ""'],
    says: 'link LINK: alias is .*: put right',
  },
  {
    name: 'the link is put into another group',
    ip: ['link set LINK group 5'],
    says: 'link LINK: group is 5, .*: put right',
  },
  {
    name: 'permanent neighbours are turned into learned ones',
    options: STATIC,
    ip: ['neigh replace 10.7.NUMBER.2 lladdr 02:00:00:00:00:98 dev LINK nud reachable'],
    says: 'neighbour 10.7.NUMBER.2 at MAC on LINK is missing.*: put right',
  },
  {
    name: 'the link leads to another VNI',
    ip: [
      'link del LINK',
      'link add LINK alias everlan:FABRIC/LINK type vxlan id 9ID dstport 4789 dev eth0',
      'link set LINK alias everlan:FABRIC/LINK',
    ],
    frozen: true,
    says: 'link LINK: .*vni is 9ID, not ID.*: put right',
    anew: true,
  },
  {
    name: 'fault 13: checksum offload is switched on',
    options: 'tx-checksum-offload: false',
    act: switchOffloadOn,
    says: 'link LINK: tx-checksum-offload is .*: put right',
  },
  {
    name: 'fault 13: the link is deleted that is to have no checksum offload',
    options: 'tx-checksum-offload: false',
    ip: ['link del LINK'],
    says: 'link LINK is missing.*: put right',
    anew: true,
  },
];

const linkOf = (i: number): string => `vx${i}`;

function overlay({ options }: Fault, i: number): string {
  const own = options === undefined ? '' : `${options.replace('BRIDGE', `br${i}`)}, `;
  const hosts = `{alpha: [10.7.${i}.1/24, "fd07:${i}::1/64"], beta: [10.7.${i}.2/24, "fd07:${i}::2/64"]}`;
  return `  ${linkOf(i)}: {vni: ${100 + i}, ${own}routes: [{to: 10.8.${i}.0/24, via: beta}], hosts: ${hosts}}`;
}

const FILE = `fabric: test
hosts: {alpha: 10.0.0.4, beta: 10.0.0.5}
overlays:
${faults.map(overlay).join('\n')}
`;

test('faults of one link: put right and told, and no other link is touched', LIMITS, async (t) => {
  const at = site(t, FILE);
  const [alpha] = await agentsOn(at, 'alpha', 'beta');
  const { host } = alpha;
  await host.quiet();
  const indexes = (): (number | null)[] => faults.map((_, i) => host.index(linkOf(i)));
  for (const [i, { name, ip = [], bridge = [], act, says, anew = false, frozen = false }] of faults.entries()) {
    await t.test(name, { timeout: 20_000 }, async () => {
      const link = linkOf(i);
      const words: Readonly<Record<string, string>> = {
        LINK: link,
        BRIDGE: `br${i}`,
        ID: String(100 + i),
        NUMBER: String(i),
        FABRIC: at.fabric,
        MAC: stableMac(at.fabric, link, 'beta'),
        NETWORK: `10.8.${i}.0/24`,
      };
      const own = (text: string): string => text.replace(/[A-Z]{2,}/g, (word) => words[word] ?? word);
      const before = indexes();
      alpha.mark();
      if (frozen) alpha.signal('SIGSTOP');
      if (ip.length > 0) host.ip('-batch -', `${ip.map(own).join('\n')}\n`);
      if (bridge.length > 0) host.bridge('-batch -', `${bridge.map(own).join('\n')}\n`);
      act?.(host, link);
      if (frozen) alpha.signal('SIGCONT');
      await alpha.said(new RegExp(own(says)));
      await host.until(() => host.planned(at.text).length === 0);
      const after = indexes();
      assert.deepEqual(
        after.map((index, other) => index !== before[other]),
        before.map((_, other) => anew && other === i),
        'links made anew',
      );
      const bridged = host.index(`br${i}`) !== null;
      for (const address of [`10.7.${i}.2`, `fd07:${i}::2`]) {
        const answer = await host.echo(bridged ? `br${i}` : link, address);
        assert.ok(answer.ok, JSON.stringify(answer));
      }
    });
  }
});
