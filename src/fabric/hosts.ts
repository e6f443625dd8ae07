/** `hosts:` of the fabric. */
import { isLinkLocal6 } from '../model/address.ts';
import type { Host } from '../model/fabric.ts';
import type { YamlValue } from '../text/value.ts';
import {
  type Field,
  isTextKey,
  mismatch,
  readHostName,
  readHostname,
  readLinkName,
  readMap,
  readText,
  readUnicast,
  report,
  unknownKey,
} from './atoms.ts';
import { type At, below, type Findings } from './findings.ts';
import { HOST_KEYS } from './keys.ts';

export interface Hosts {
  /** Every name, also of hosts that are wrong in themselves; null: no map. */
  readonly names: ReadonlySet<string> | null;
  readonly hosts: ReadonlyMap<string, Host>;
}

const KEYS = Object.keys(HOST_KEYS);

export function readHosts(value: YamlValue, at: At, findings: Findings): Hosts {
  const hosts = new Map<string, Host>();
  const map = readMap(value, 'a map from hosts to their underlay addresses', { what: 'hosts', at, findings });
  if (map === undefined) return { names: null, hosts };
  if (map.size === 0) findings.addKey('nothing-in-it', at, 'hosts must list at least one host');
  const names = new Set<string>();
  const seen: Seen = { underlays: new Map(), hostnames: new Map() };
  for (const [key, item] of map) {
    if (!isTextKey(key, at, findings)) continue;
    names.add(key);
    const here = below(at, key);
    readHostName(key, { what: 'a host’s name', at: here, findings, key: true });
    const host = readHost(key, item, here, findings);
    if (host === undefined) continue;
    hosts.set(key, host);
    checkTwice(host, here, findings, seen);
  }
  return { names, hosts };
}

interface Seen {
  readonly underlays: Map<string, string>;
  readonly hostnames: Map<string, string>;
}

function checkTwice(host: Host, at: At, findings: Findings, { underlays, hostnames }: Seen): void {
  const owner = underlays.get(host.underlay);
  if (owner === undefined) underlays.set(host.underlay, host.name);
  else findings.add('underlay-twice', below(at, 'underlay'), `${host.underlay} is the underlay of ${owner} already`);
  // Hostnames are compared without regard to case (RFC 4343).
  const hostname = host.hostname.toLowerCase();
  const named = hostnames.get(hostname);
  if (named === undefined) hostnames.set(hostname, host.name);
  else findings.add('hostname-twice', below(at, 'hostname'), `${host.hostname} is the hostname of ${named} already`);
}

function readHost(name: string, value: YamlValue, at: At, findings: Findings): Host | undefined {
  const field = (what: string, key?: string): Field => ({
    what,
    at: key === undefined ? at : below(at, key),
    findings,
  });
  if (typeof value === 'string') {
    const underlay = readUnicast(value, field(`the underlay of ${name}`));
    return underlay === undefined ? undefined : { name, underlay, device: undefined, hostname: name };
  }
  if (!(value instanceof Map)) {
    return mismatch(value, 'an underlay address, or a map {underlay, device, hostname}', field(`the host ${name}`));
  }
  for (const key of value.keys()) {
    if (isTextKey(key, at, findings) && !KEYS.includes(key)) unknownKey(key, at, KEYS, findings);
  }
  const underlayField = field('underlay', 'underlay');
  const underlay = value.has('underlay')
    ? readUnicast(value.get('underlay') ?? null, underlayField)
    : missing(name, field(''));
  const device = value.has('device') ? readDevice(value.get('device') ?? null, field('device', 'device')) : undefined;
  const hostname = value.has('hostname')
    ? readHostname(value.get('hostname') ?? null, field('hostname', 'hostname'))
    : name;
  if (underlay === undefined) return undefined;
  if (isLinkLocal6(underlay) && device === null) {
    report(underlayField, 'link-local-device', `${underlay} means nothing without a device, and device is none`);
  }
  return { name, underlay, device, hostname: hostname ?? name };
}

function missing(name: string, field: Field): undefined {
  return report({ ...field, key: true }, 'missing-key', `the host ${name} needs an \`underlay\` address`);
}

/** null: `none`. */
function readDevice(value: YamlValue, field: Field): string | null | undefined {
  const text = readText(value, 'the name of a link, or none', field);
  if (text === 'none') return null;
  return text === undefined ? undefined : readLinkName(text, field);
}
