/** Which host of the fabric this machine is. */
import { addressOf, type IpAddress, isLinkLocal6, isUnicast } from '../model/address.ts';
import type { Fabric, Host } from '../model/fabric.ts';
import { EverlanError, EXIT, type Problem } from '../model/problem.ts';
import type { HostFacts } from '../model/state.ts';
import { hostProblem } from './host-problem.ts';
import { didYouMean } from './words.ts';

/**
 * The name of the host: `asked` (--host), else the one whose hostname is the machine's, else the one whose underlay
 * address the machine has. A full name and its first label are the same hostname, unless both have dots.
 * Throws EverlanError, exit code 2, when that is none or more than one.
 */
export function identify(fabric: Fabric, facts: HostFacts, asked?: string): string {
  if (asked !== undefined) {
    if (fabric.hosts.has(asked)) return asked;
    const names = [...fabric.hosts.keys()];
    const hint = didYouMean(asked, names) ?? `hosts are ${few(names)}`;
    throw refusal(hostProblem('host-not-in-file', `there is no host “${asked}” in the fabric ${fabric.name}`, hint));
  }
  const hosts = [...fabric.hosts.values()];
  const byName = hosts.filter((host) => sameHostname(host.hostname, facts.hostname));
  if (byName.length > 0) return only(byName, `the hostname ${facts.hostname}`);
  const addresses = addressesOf(facts);
  const byAddress = hosts.filter((host) => addresses.has(host.underlay));
  if (byAddress.length > 0) return only(byAddress, 'their underlay addresses');
  throw refusal(hostProblem('host-not-found', lookedAt(fabric, facts, addresses)));
}

function refusal(problem: Problem): EverlanError {
  return new EverlanError(problem, EXIT.usage);
}

function sameHostname(a: string, b: string): boolean {
  const [one, other] = [a.toLowerCase(), b.toLowerCase()];
  if (one === other) return one !== '';
  if (one.includes('.') && other.includes('.')) return false;
  return one !== '' && one.split('.')[0] === other.split('.')[0];
}

function only(hosts: readonly Host[], why: string): string {
  const [first] = hosts;
  if (hosts.length === 1 && first !== undefined) return first.name;
  const names = few(hosts.map((host) => host.name));
  throw refusal(hostProblem('host-ambiguous', `this machine could be ${names}, by ${why}`));
}

function addressesOf(facts: HostFacts): ReadonlySet<IpAddress> {
  const addresses = new Set<IpAddress>();
  for (const link of facts.links.values()) for (const prefix of link.addresses) addresses.add(addressOf(prefix));
  return addresses;
}

function lookedAt(fabric: Fabric, facts: HostFacts, addresses: ReadonlySet<IpAddress>): string {
  const telling = [...addresses].filter((address) => isUnicast(address) && !isLinkLocal6(address));
  const hostname = facts.hostname === '' ? 'no hostname was looked at' : `its hostname is ${facts.hostname}`;
  const has = telling.length === 0 ? 'it has no address' : `its addresses are ${few(telling)}`;
  return `no host of the fabric ${fabric.name} is this machine: ${hostname}, and ${has}`;
}

function few(list: readonly string[]): string {
  return list.length > 12 ? `${list.slice(0, 12).join(', ')} and ${list.length - 12} more` : list.join(', ');
}
