/**
 * What the kernel does beside what it is asked to, as tables: which changes need a new link, which ones take things
 * away that stand on the link, and which one needs a step in between. Settled by tests against the real kernel.
 */
import { type Family, familyOf, type IpAddress, isMulticast } from '../model/address.ts';
import type { LinkAttributes, LinkKind, LinkState } from '../model/state.ts';
import type { AttributeChange } from '../model/step.ts';
import { VXLAN_ATTRIBUTE_NAMES, VXLAN_ATTRIBUTES, type VxlanAttribute, type VxlanState } from '../model/vxlan.ts';

/** Every one of them is changed in place. */
const LINK_ATTRIBUTES = {
  alias: true,
  group: true,
  up: true,
  mtu: true,
  mac: true,
  txChecksum: true,
} as const satisfies Record<keyof LinkAttributes, true>;

const LINK_ATTRIBUTE_NAMES = Object.keys(LINK_ATTRIBUTES) as readonly (keyof LinkAttributes)[];

const NONE: readonly AttributeChange[] = [];

/** As `sameVxlan`, for the attributes of every link. */
export function sameLink(a: LinkAttributes, b: LinkAttributes): boolean {
  return (
    a.alias === b.alias &&
    a.group === b.group &&
    a.up === b.up &&
    a.mtu === b.mtu &&
    a.mac === b.mac &&
    a.txChecksum === b.txChecksum
  );
}

/**
 * Whether all attributes are equal. Written out, because most links are as they should be and a loop over the names takes
 * ten times as long; a test goes through the table.
 */
export function sameVxlan(a: VxlanState, b: VxlanState): boolean {
  return (
    a.vni === b.vni &&
    a.port === b.port &&
    a.remote === b.remote &&
    a.local === b.local &&
    a.device === b.device &&
    a.ttl === b.ttl &&
    a.ttlInherit === b.ttlInherit &&
    a.tos === b.tos &&
    a.df === b.df &&
    a.label === b.label &&
    a.learning === b.learning &&
    a.ageing === b.ageing &&
    a.limit === b.limit &&
    a.portLow === b.portLow &&
    a.portHigh === b.portHigh &&
    a.proxy === b.proxy &&
    a.rsc === b.rsc &&
    a.l2miss === b.l2miss &&
    a.l3miss === b.l3miss &&
    a.udpCsum === b.udpCsum &&
    a.udpZeroCsum6Tx === b.udpZeroCsum6Tx &&
    a.udpZeroCsum6Rx === b.udpZeroCsum6Rx &&
    a.remcsumTx === b.remcsumTx &&
    a.remcsumRx === b.remcsumRx &&
    a.remcsumNoPartial === b.remcsumNoPartial &&
    a.gbp === b.gbp &&
    a.gpe === b.gpe &&
    a.external === b.external &&
    a.vnifilter === b.vnifilter &&
    a.localbypass === b.localbypass
  );
}

/** The attributes of two links of the same name that differ, the link's own first. */
export function changesBetween(have: LinkState, want: LinkState): readonly AttributeChange[] {
  let changes: AttributeChange[] | undefined;
  if (!sameLink(have, want)) {
    for (const attribute of LINK_ATTRIBUTE_NAMES) {
      if (have[attribute] === want[attribute]) continue;
      changes ??= [];
      changes.push({ attribute, from: have[attribute], to: want[attribute] });
    }
  }
  const from = have.vxlan;
  const to = want.vxlan;
  if (from !== null && to !== null && !sameVxlan(from, to)) {
    for (const attribute of VXLAN_ATTRIBUTE_NAMES) {
      if (from[attribute] === to[attribute]) continue;
      changes ??= [];
      changes.push({ attribute, from: from[attribute], to: to[attribute] });
    }
  }
  return changes ?? NONE;
}

/** The family of a link's outer packets, as far as it can be seen; null: nothing tells. */
export function underlayFamily(link: LinkState): Family | null {
  const known = link.vxlan?.local ?? link.vxlan?.remote;
  if (known !== null && known !== undefined) return familyOf(known);
  const row = link.fdb.size === 0 ? undefined : link.fdb.values().next().value;
  return row === undefined ? null : familyOf(row.vtep);
}

const group = (address: IpAddress | null): boolean => address !== null && isMulticast(address);

export const KIND_WORDS = {
  vxlan: 'a VXLAN link',
  bridge: 'a bridge',
  joined: 'a bridge',
  port: 'another kind of link',
  other: 'another kind of link',
} as const satisfies Record<LinkKind, string>;

interface RecreateRule {
  /** Said in the plan where the changed attributes do not say it. */
  readonly because?: string;
  /** The attributes that stand in the way; empty: the rule does not hold. */
  blockers(have: VxlanState, want: VxlanState, changes: readonly AttributeChange[]): readonly AttributeChange[];
}

const among =
  (...names: VxlanAttribute[]) =>
  (change: AttributeChange): boolean =>
    (names as readonly string[]).includes(change.attribute);

const ENDPOINT = among('local', 'remote');

const RECREATE_RULES: readonly RecreateRule[] = [
  {
    // What the kernel refuses to change at all: the attribute's own row says so.
    blockers: (_have, _want, changes) =>
      changes.filter(
        ({ attribute }) =>
          attribute in VXLAN_ATTRIBUTES && VXLAN_ATTRIBUTES[attribute as VxlanAttribute].change === 'recreate',
      ),
  },
  {
    because: 'a link made with ttl inherit ignores another ttl',
    blockers: (have, _want, changes) => (have.ttlInherit ? changes.filter(among('ttl')) : []),
  },
  {
    because: 'the kernel does not take the device away from a link',
    blockers: (_have, want, changes) => (want.device === null ? changes.filter(among('device')) : []),
  },
  {
    // Linux before 6.15 changes the address in silence and stays in the old group.
    because: 'a link joins its multicast group when it is made',
    blockers: (have, want, changes) =>
      group(have.remote) || group(want.remote) ? changes.filter(among('remote', 'device')) : [],
  },
];

export interface Recreate {
  readonly blockers: readonly AttributeChange[];
  readonly because?: string;
}

/** Why the link must be made anew, or null when all changes are possible in place. */
export function mustRecreate(have: LinkState, want: LinkState, changes: readonly AttributeChange[]): Recreate | null {
  if (have.kind !== want.kind) {
    return { blockers: NONE, because: `it is ${KIND_WORDS[have.kind]}, not ${KIND_WORDS[want.kind]}` };
  }
  if (have.vxlan === null || want.vxlan === null) return null;
  // Equal attributes, and one of them tells the family.
  if (changes.length === 0 && (have.vxlan.local !== null || have.vxlan.remote !== null)) return null;
  const endpoints = changes.filter(ENDPOINT);
  // A link of which nothing tells the family was made for IPv4, or carries nothing that a new one would interrupt.
  const from = underlayFamily(have) ?? 4;
  const to = underlayFamily(want);
  if (to !== null && from !== to) {
    return { blockers: endpoints, because: 'the underlay changes its address family' };
  }
  if (changes.length === 0) return null;
  for (const rule of RECREATE_RULES) {
    const blockers = rule.blockers(have.vxlan, want.vxlan, changes);
    if (blockers.length === 0) continue;
    return rule.because === undefined ? { blockers } : { blockers, because: rule.because };
  }
  return null;
}

/** Things of one family that stand on a link. */
export type Standing = 'address' | 'fdb' | 'neighbour' | 'route';

export interface Loss {
  readonly because: string;
  /** Whether what was lost can be put back. */
  readonly restorable: boolean;
  takes(kind: Standing, family: Family): boolean;
}

/** The least MTU of a link that speaks IPv6 (RFC 8200, section 5). */
export const IPV6_MTU = 1280;

interface LossRule extends Loss {
  when(have: LinkState, want: LinkState): boolean;
}

const LOSS_RULES: readonly LossRule[] = [
  {
    because: 'lost when the link goes down',
    restorable: false,
    when: (have, want) => have.up && !want.up,
    takes: (kind, family) => kind === 'neighbour' || kind === 'route' || (kind === 'address' && family === 6),
  },
  {
    because: `lost with an MTU below ${IPV6_MTU}`,
    restorable: false,
    when: (have, want) => have.mtu >= IPV6_MTU && want.mtu < IPV6_MTU,
    takes: (kind, family) => kind !== 'fdb' && family === 6,
  },
  {
    because: 'wiped by the MAC change',
    restorable: true,
    when: (have, want) => have.mac !== want.mac,
    takes: (kind) => kind === 'neighbour',
  },
];

/** A link made anew has nothing on it. */
export const LOST_WITH_LINK: Loss = { because: 'lost when the link is made anew', restorable: true, takes: () => true };

export const LOST_SECONDARY = 'the kernel drops it with the primary address of its subnet';
export const LOST_IPV4 = 'lost with the last IPv4 address of the link';

/** Reasons of steps that put back what other steps take away: before them, nothing is wrong there. */
export const CONSEQUENCES: ReadonlySet<string | undefined> = new Set([
  ...LOSS_RULES.map((rule) => rule.because),
  LOST_WITH_LINK.because,
  LOST_SECONDARY,
  LOST_IPV4,
]);

/** What a change in place takes away. */
export function lossesOf(have: LinkState, want: LinkState): readonly Loss[] {
  return LOSS_RULES.filter((rule) => rule.when(have, want));
}

/**
 * Whether the change needs `remote` to be taken off first: the flooding row that the kernel keeps for `remote` names the
 * device of its time, and a change of the device alone leaves it there, where nothing can remove it afterwards.
 */
export function needsDetour(have: VxlanState, want: VxlanState): boolean {
  return have.device !== want.device && have.remote !== null && have.remote === want.remote;
}
