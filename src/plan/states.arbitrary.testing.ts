/** Random host states over a small alphabet, so that names, VNIs, subnets and keys meet often. */
import fc from 'fast-check';
import { contains, familyOf } from '../model/address.ts';
import type { HostState, LinkState } from '../model/state.ts';
import { VXLAN_ATTRIBUTE_NAMES, VXLAN_ATTRIBUTES, type VxlanState } from '../model/vxlan.ts';
import { type ShortLink, shortLink } from './states.testing.ts';

const MACS = ['02:00:00:00:00:01', '02:00:00:00:00:02', '00:00:00:00:00:00'];
const VTEPS = { 4: ['10.0.0.5', '10.0.0.6', '10.0.0.7'], 6: ['fd00::5', 'fd00::6', 'fd00::7'] } as const;
const LOCALS = { 4: '10.0.0.4', 6: 'fd00::4' } as const;
const GROUPS = { 4: '239.1.1.1', 6: 'ff0e::1' } as const;
const ADDRESSES = [
  '169.254.0.1/24',
  '169.254.0.2/24',
  '169.254.0.3/24',
  '10.9.0.1/24',
  'fd00:77::1/64',
  'fd00:77::2/64',
];
const NEIGHBOURS = ['169.254.0.8', '10.9.0.8', 'fd00:77::8'];
/** One table holds the routes of all links: each link has destinations of its own, and there is one that moves. */
const SHARED = '10.99.0.0/16';
const routesOf = (name: string): string[] => {
  const own = { vx0: 1, vx1: 2, br0: 3 }[name] ?? 4;
  return [
    `10.7${own}.0.0/16 via 169.254.0.9`,
    `10.7${own}.0.0/16 via 10.9.0.9`,
    `10.8${own}.0.0/16 via 10.9.0.9`,
    `10.8${own}.0.0/16`,
    `fd0${own}::/64 via fd00:77::9`,
    `fd0${own}::/64`,
    SHARED,
  ];
};

/** Some of the words, each a stranger's now and then. */
function some(words: readonly string[], foreign: boolean): fc.Arbitrary<string[]> {
  const one = fc.tuple(fc.constantFrom(...words), foreign ? fc.nat(3) : fc.constant(0));
  return fc.array(
    one.map(([word, die]) => (die === 3 ? `foreign ${word}` : word)),
    { maxLength: 4 },
  );
}

const vxlanState = (family: 4 | 6): fc.Arbitrary<Partial<VxlanState>> =>
  fc
    .record({
      vni: fc.constantFrom(77, 78),
      port: fc.constantFrom(4789, 4790),
      remote: fc.constantFrom<(string | null)[]>(null, null, ...VTEPS[family], GROUPS[family]),
      local: fc.constantFrom(null, LOCALS[family]),
      device: fc.constantFrom(null, 'eth0', 'eth2'),
      ttl: fc.constantFrom(0, 0, 5),
      ttlInherit: fc.constantFrom(false, false, true),
      tos: fc.constantFrom(0, 1),
      learning: fc.boolean(),
      limit: fc.constantFrom(0, 0, 1000),
    })
    .map((said) => {
      const device = said.remote === GROUPS[family] ? (said.device ?? 'eth0') : said.device;
      return { ...said, device, ttl: said.ttlInherit ? 0 : said.ttl } as Partial<VxlanState>;
    });

/** Takes away what the kernel would not have let stand. */
function possible(link: LinkState): LinkState {
  const speaks = (address: string): boolean => link.mtu >= 1280 || !address.includes(':');
  const keep = <K extends string, T>(items: ReadonlyMap<K, T>, test: (item: T, key: K) => boolean): Map<K, T> =>
    new Map([...items].filter(([key, item]) => speaks(key) && test(item, key)));
  const addresses = keep(link.addresses, () => true);
  const near = (via: Parameters<typeof contains>[1]): boolean =>
    [...addresses.keys()].some((prefix) => contains(prefix, via));
  return {
    ...link,
    addresses,
    fdb: new Map([...link.fdb].filter(([, row]) => row.vtep !== link.vxlan?.remote)),
    neighbours: keep(link.neighbours, () => true),
    routes: keep(link.routes, ({ via }) => link.up && (via === null || near(via))),
  };
}

interface Taste {
  /** Whether strangers' things and links may be there. */
  readonly foreign: boolean;
}

function link(name: string, kind: 'vxlan' | 'bridge', { foreign }: Taste): fc.Arbitrary<LinkState> {
  return fc.constantFrom<(4 | 6)[]>(4, 4, 6).chain((family) =>
    fc
      .record({
        up: fc.nat(7).map((die) => die > 0),
        mtu: fc.constantFrom(1450, 1400, 1200),
        mac: fc.constantFrom('02:00:00:00:00:0a', '02:00:00:00:00:0b'),
        vxlan: kind === 'vxlan' ? vxlanState(family) : fc.constant({}),
        addresses: some(ADDRESSES, foreign),
        fdb:
          kind === 'vxlan'
            ? some(
                MACS.flatMap((mac) => VTEPS[family].map((vtep) => `${mac} ${vtep}`)),
                foreign,
              )
            : fc.constant([]),
        neighbours: some(
          NEIGHBOURS.flatMap((address) => MACS.slice(0, 2).map((mac) => `${address} ${mac}`)),
          foreign,
        ),
        routes: some(routesOf(name), foreign),
      })
      .map((said) => possible(shortLink(name, { ...said, kind } as ShortLink))),
  );
}

/** Its owner's routes have destinations of their own: one where we want ours is a refusal, not a way to the wanted state. */
const joined: fc.Arbitrary<LinkState> = fc
  .record({
    addresses: some(ADDRESSES.slice(0, 4), true),
    routes: fc
      .tuple(some(routesOf('br0').slice(0, 4), false), some(routesOf('theirs').slice(0, 4), true))
      .map((both) => both.flat()),
  })
  .map((said) => possible(shortLink('br0', { ...said, kind: 'joined' })));

/** Leaves the destination that moves to the first link that has it as ours. */
function oneHolder(links: readonly LinkState[]): LinkState[] {
  const holds = ({ routes }: LinkState): boolean =>
    [...routes.values()].some(({ to, origin }) => to === SHARED && origin === 'ours');
  const holder = links.find(holds);
  return links.map((each) =>
    each === holder ? each : { ...each, routes: new Map([...each.routes].filter(([to]) => to !== SHARED)) },
  );
}

/** No VNI and port twice in one family: the file's checks refuse it. */
function distinct(links: readonly LinkState[]): boolean {
  const slots = links.flatMap(({ vxlan }) => (vxlan === null ? [] : [`${vxlan.vni}/${vxlan.port}`]));
  return new Set(slots).size === slots.length;
}

/** A bridge follows its smallest port, so one that is too small for IPv6 would take it from the bridge. */
const wide = (link: LinkState): boolean => link.mtu >= 1280;

/** What strangers did to a host: the same before and after. */
export interface World {
  readonly strangerVxlan: LinkState | null;
  readonly strangerBridge: LinkState | null;
  readonly port: boolean;
}

const world: fc.Arbitrary<World> = fc.record({
  strangerVxlan: fc.option(
    vxlanState(4).map((vxlan) => shortLink('vx0', { alias: '', vxlan: { ...vxlan, vni: 99 } })),
    { freq: 8 },
  ),
  strangerBridge: fc.option(joined, { freq: 3 }),
  port: fc.boolean(),
});

const absentOr = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { freq: 4 });

function state(strangers: World, observed: boolean): fc.Arbitrary<HostState> {
  const taste = { foreign: observed };
  const bridge = strangers.strangerBridge;
  const wantedOnBridge = bridge !== null && !observed;
  return fc
    .record({
      vx0:
        observed && strangers.strangerVxlan !== null
          ? fc.constant(strangers.strangerVxlan)
          : absentOr(link('vx0', 'vxlan', taste)),
      vx1: absentOr(link('vx1', 'vxlan', taste)),
      br0: bridge !== null && observed ? fc.constant(bridge) : absentOr(link('br0', 'bridge', taste)),
      inside: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
    })
    .map(({ vx0, vx1, br0, inside }) => {
      const master = br0 === null ? null : 'br0';
      // A stranger's bridge is always up, whatever the file's bridge would be.
      const place = wantedOnBridge && br0 !== null ? possible({ ...br0, up: true, mtu: 1450 }) : br0;
      const port = strangers.port ? shortLink('eth1', { kind: 'port' }) : null;
      const stranger = vx0 !== null && vx0.alias === '';
      const links = [
        vx0 === null ? null : { ...vx0, master: inside[0] && !stranger && wide(vx0) ? master : null },
        vx1 === null ? null : { ...vx1, master: inside[1] && wide(vx1) ? master : null },
        place,
        port === null ? null : { ...port, master: inside[2] ? master : null },
      ].filter((each) => each !== null);
      return oneHolder(links);
    })
    .filter(distinct)
    .map((links) => ({ links: new Map(links.map((each) => [each.name, each])) }));
}

/** What a host has, and what a file wants there. */
export const statePair: fc.Arbitrary<{ observed: HostState; desired: HostState }> = world.chain((strangers) =>
  fc.record({ observed: state(strangers, true), desired: state(strangers, false) }),
);

/** A link, and itself with other values of what the kernel changes in place, without multicast. */
export const livePair: fc.Arbitrary<{ observed: HostState; desired: HostState }> = fc
  .tuple(link('vx0', 'vxlan', { foreign: true }), link('vx0', 'vxlan', { foreign: false }))
  .filter(([have, want]) => [have, want].every((each) => ![GROUPS[4], GROUPS[6]].includes(each.vxlan?.remote as never)))
  .map(([have, want]) => {
    const merged: Record<string, unknown> = { ...want.vxlan };
    for (const name of VXLAN_ATTRIBUTE_NAMES) {
      if (VXLAN_ATTRIBUTES[name].change === 'recreate') merged[name] = have.vxlan?.[name];
    }
    const endpoints = [have, want].map((each) => each.vxlan?.local ?? each.vxlan?.remote);
    const keepDevice = merged.device === null ? { device: have.vxlan?.device } : {};
    const keepTtl = have.vxlan?.ttlInherit ? { ttl: have.vxlan.ttl } : {};
    const vxlan = { ...merged, ...keepDevice, ...keepTtl } as VxlanState;
    return { have, want: { ...want, vxlan }, endpoints };
  })
  .filter(({ have, want, endpoints: [a, b] }) => {
    const families = [a, b, ...[...have.fdb.values(), ...want.fdb.values()].map((row) => row.vtep)].flatMap((each) =>
      each === null || each === undefined ? [] : [familyOf(each)],
    );
    return new Set(families).size === 1 && a !== null && b !== null;
  })
  .map(({ have, want }) => ({
    observed: { links: new Map([['vx0', have]]) },
    desired: { links: new Map([['vx0', want]]) },
  }));
