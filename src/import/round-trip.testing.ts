/** Random fabrics, for what is rendered and read again. */
import fc from 'fast-check';

const HOSTS = ['alpha', 'beta', 'gamma', 'delta'] as const;
const UNDERLAYS = {
  4: ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'],
  6: ['fd00::1', 'fd00::2', 'fd00::3', 'fd00::4'],
} as const;

const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined, freq: 2 });
const list = (...words: string[]): fc.Arbitrary<readonly string[]> => fc.subarray(words);

/** Options that both families take, in the form of the file. */
const OPTIONS = {
  ageing: maybe(fc.integer({ min: 1, max: 4294967 })),
  // Fewer are not enough for the rows that are drawn, and then the kernel refuses one.
  limit: maybe(fc.integer({ min: 100, max: 0x7fffffff })),
  'type-of-service': maybe(fc.integer({ min: 1, max: 255 })),
  'mac-learning': maybe(fc.boolean()),
  'arp-proxy': maybe(fc.boolean()),
  'short-circuit': maybe(fc.boolean()),
  'port-range': maybe(
    fc.tuple(fc.integer({ min: 1, max: 65535 }), fc.nat(1000)).map(([low, more]) => [low, Math.min(65535, low + more)]),
  ),
  notifications: maybe(list('l2-miss', 'l3-miss')),
  mtu: maybe(fc.integer({ min: 1280, max: 1430 })),
  ttl: maybe(fc.integer({ min: 1, max: 255 })),
} as const;

type Options = Readonly<Record<string, fc.Arbitrary<unknown>>>;

/** What only one family takes, and addresses of it. */
const OF_FAMILY: Readonly<Record<4 | 6, Options>> = {
  4: {
    'do-not-fragment': maybe(fc.boolean()),
    flood: maybe(fc.constantFrom('peers', 'none', '239.1.1.1')),
    local: maybe(fc.constantFrom('underlay', 'none')),
  },
  6: {
    'flow-label': maybe(fc.integer({ min: 1, max: 1048575 })),
    flood: maybe(fc.constantFrom('peers', 'none', 'ff05::1')),
  },
};

/** What netplan has no words of its own for. */
const BEYOND_NETPLAN: Readonly<Record<4 | 6, Options>> = {
  4: {
    'do-not-fragment': maybe(fc.constantFrom(true, false, 'inherit')),
    ttl: maybe(fc.oneof(fc.integer({ min: 1, max: 255 }), fc.constant('inherit'))),
    limit: maybe(fc.integer({ min: 100, max: 0xffffffff })),
    neighbours: maybe(fc.constant('static')),
    remotes: maybe(fc.constantFrom(['10.0.1.'], ['10.0.1.', '10.0.2.'])),
    macs: maybe(fc.constant('10.0.0.99')),
  },
  6: {
    neighbours: maybe(fc.constant('static')),
    remotes: maybe(fc.constantFrom(['fd01:1::'], ['fd01:1::', 'fd01:2::'])),
    macs: maybe(fc.constant('fd00::99')),
  },
};

/** Links of one port receive alike, so these are the fabric's. */
const RECEIVING = fc.record({
  checksums: maybe(list('udp', 'zero-udp6-tx', 'zero-udp6-rx', 'remote-tx', 'remote-rx')),
  extensions: maybe(fc.constant(['group-policy'])),
});

/** @param most members of an overlay. */
function overlay(most: number, options: Options) {
  return fc.record({
    members: fc.subarray([...HOSTS], { minLength: 2, maxLength: most }),
    six: fc.boolean(),
    bridged: fc.boolean(),
    routed: fc.boolean(),
    stated: fc.boolean(),
    options: fc.record(options),
  });
}

export interface Drawn {
  readonly text: string;
  /** Of each host, with its length. */
  readonly underlays: ReadonlyMap<string, string>;
}

type Overlay = ReturnType<ReturnType<typeof overlay>['generate']>['value'];

/**
 * VTEPs of this overlay alone. One that nobody imports is taken for a member, and nothing tells the MAC that its neighbours
 * should have.
 */
function remotesOf({ remotes }: Readonly<Record<string, unknown>>, vni: number): object {
  return Array.isArray(remotes) ? { remotes: remotes.map((start) => `${start}${vni}`), neighbours: 'learned' } : {};
}

/** @param vtep outside of the fabric; undefined: none. */
function staticMacs(vtep: unknown, [first = '']: readonly string[]): Readonly<Record<string, unknown>> {
  return vtep === undefined ? {} : { '02:00:00:00:00:aa': vtep, '02:00:00:00:00:ab': first };
}

function overlayText(
  { members, six, bridged, routed, stated, options }: Overlay,
  vni: number,
  beyond: boolean,
): Record<string, unknown> {
  const addresses = members.map((name) => {
    const last = HOSTS.indexOf(name) + 1;
    return [name, [`10.${vni}.0.${last}/24`, ...(six ? [`fd00:${vni}::${last}/64`] : [])]] as const;
  });
  const macs = members.map((name) => [name, `02:00:00:00:0${vni}:0${HOSTS.indexOf(name) + 1}`] as const);
  return {
    vni,
    ...options,
    ...remotesOf(options, vni),
    ...('macs' in options ? { macs: staticMacs(options.macs, members) } : {}),
    ...(bridged ? { bridge: `br${vni}`, neighbours: 'learned', ...(beyond ? { ports: [`eth${vni}`] } : {}) } : {}),
    ...(routed ? { routes: [{ to: `172.16.${vni}.0/24`, via: members[0] }] } : {}),
    ...(stated ? { mac: Object.fromEntries(macs) } : {}),
    hosts: Object.fromEntries(addresses),
  };
}

/** @param beyond with what netplan has no words of its own for: more than one peer among it. */
export function fabrics(beyond: boolean): fc.Arbitrary<Drawn> {
  return fc.constantFrom<4 | 6>(4, 6).chain((family) => fabricsOf(family, beyond));
}

function fabricsOf(family: 4 | 6, beyond: boolean): fc.Arbitrary<Drawn> {
  const options = { ...OPTIONS, ...OF_FAMILY[family], ...(beyond ? BEYOND_NETPLAN[family] : {}) };
  const length = family === 4 ? 24 : 64;
  const underlays = HOSTS.map((name, i) => [name, UNDERLAYS[family][i] ?? ''] as const);
  const hosts = Object.fromEntries(underlays.map(([name, underlay]) => [name, { underlay, device: 'eth0' }]));
  const overlays = fc.array(overlay(beyond ? 4 : 2, options), { minLength: 1, maxLength: 3 });
  return fc.record({ receiving: RECEIVING, overlays }).map(({ receiving, overlays: drawn }) => {
    const texts = drawn.map((each, i) => [`vx${i}`, { ...overlayText(each, i + 1, beyond), ...receiving }] as const);
    // JSON is YAML.
    return {
      text: JSON.stringify({ fabric: 'drawn', hosts, overlays: Object.fromEntries(texts) }),
      underlays: new Map(underlays.map(([name, address]) => [name, `${address}/${length}`])),
    };
  });
}
