/** Routes that lead elsewhere and share addresses with an overlay: what goes to them takes one way or the other, not both. */
import {
  addressOf,
  bytesOf,
  contains,
  familyOf,
  isLinkLocal6,
  lengthOf,
  networkOf,
  type Prefix,
} from '../model/address.ts';
import type { Desired } from '../model/desired.ts';
import { type Problem, warning } from '../model/problem.ts';
import type { HostFacts } from '../model/state.ts';
import { Rtnetlink } from './rtnetlink.ts';
import { readRoutes } from './tables.ts';

interface Way {
  readonly to: Prefix;
  /** Link's name, or how else it is told. */
  readonly link: string;
}

const isDefault = (prefix: Prefix): boolean => lengthOf(prefix) === 0;

/** Whether the networks share addresses. */
const overlap = (a: Prefix, b: Prefix): boolean =>
  familyOf(a) === familyOf(b) && (contains(a, addressOf(b)) || contains(b, addressOf(a)));

/** Networks that links are on by their addresses; one host alone is no network. */
function connected({ links }: HostFacts): Way[] {
  return [...links.values()].flatMap(({ name, addresses }) =>
    addresses
      .filter((prefix) => lengthOf(prefix) < bytesOf(addressOf(prefix)).length * 8 && !isLinkLocal6(addressOf(prefix)))
      .map((prefix) => ({ to: networkOf(prefix), link: name })),
  );
}

function routed(facts: HostFacts, netns: number | undefined): Way[] {
  const names = new Map([...facts.links.values()].map(({ index, name }) => [index, name]));
  const socket = new Rtnetlink(netns);
  try {
    return readRoutes(socket).flatMap(({ length, attributes: { destination, outputLink } }) => {
      if (destination === undefined) return [];
      const link = outputLink === undefined ? 'several links' : (names.get(outputLink) ?? `link ${outputLink}`);
      return [{ to: `${destination}/${length}` as Prefix, link }];
    });
  } finally {
    socket.close();
  }
}

/** The narrower network wins, whatever was meant. */
function sentence(overlay: string, own: Prefix, { to, link }: Way): string {
  const network = networkOf(own);
  const [lost, won] = lengthOf(to) > lengthOf(own) ? [network, to] : [to, network];
  const both = lengthOf(to) === lengthOf(own);
  const loser = lost === network ? overlay : link;
  const winner = lost === network ? link : overlay;
  const how = both ? `which of the two is used is not certain` : `${won} goes by ${winner}, not by ${loser}`;
  return `${network} of ${overlay} overlaps the route to ${to} on ${link}: ${how}`;
}

/**
 * A warning `route-overlap` for each network of the overlays that another link has a route to as well; default routes aside.
 * @param netns an open namespace; without it, our own.
 */
export function overlaps(facts: HostFacts, { overlays, state }: Desired, netns?: number): readonly Problem[] {
  const own = overlays.flatMap(({ addressed }) =>
    [...(state.links.get(addressed)?.addresses.keys() ?? [])].map((prefix) => ({ addressed, prefix })),
  );
  if (own.length === 0) return [];
  const others = [...connected(facts), ...routed(facts, netns)].filter(
    ({ to, link }) => !isDefault(to) && link !== 'lo' && !state.links.has(link),
  );
  const hint = 'choose another network for the overlay, or remove the route';
  return own.flatMap(({ addressed, prefix }) =>
    others
      .filter(({ to }) => overlap(to, prefix))
      .map((way) => ({ ...warning('route-overlap', sentence(addressed, prefix, way), { hint }), link: addressed })),
  );
}
