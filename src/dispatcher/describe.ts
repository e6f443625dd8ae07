/**
 * What only networkd can say of a link: from the file in which it keeps it for networkctl (sd-network), or from its
 * Describe (systemd 249 and newer). Pure.
 */
import { formatIp } from '../model/address.ts';

/** null: not said. */
export interface Described {
  readonly networkFile: string | null;
  readonly linkFile: string | null;
  readonly onlineState: string | null;
  readonly activationPolicy: string | null;
  readonly requiredForOnline: boolean | null;
  readonly dns: readonly string[];
  readonly ntp: readonly string[];
  readonly searchDomains: readonly string[];
  readonly routeDomains: readonly string[];
  readonly ssid: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const textOf = (from: Fields, key: string): string | null => {
  const value = from[key];
  return typeof value === 'string' && value !== '' ? value : null;
};
const listOf = (from: Fields, key: string): readonly Fields[] => {
  const value = from[key];
  return Array.isArray(value) ? value.filter(isFields) : [];
};

/** `[10, 0, 0, 1]` → `10.0.0.1`; null for what is no address. */
function ipOf(value: unknown): string | null {
  const bytes: unknown[] = Array.isArray(value) ? value : [];
  if (bytes.length !== 4 && bytes.length !== 16) return null;
  const numbers = bytes.filter((byte) => typeof byte === 'number' && byte >= 0 && byte <= 255);
  return numbers.length === bytes.length ? formatIp(Uint8Array.from(numbers.map(Number))) : null;
}

const present = (values: readonly (string | null)[]): string[] => [
  ...new Set(values.filter((value) => value !== null)),
];

/** Servers are addresses, or names. */
const serversOf = (from: Fields, key: string): string[] =>
  present(listOf(from, key).map((server) => textOf(server, 'Server') ?? ipOf(server.Address)));
const domainsOf = (from: Fields, key: string): string[] =>
  present(listOf(from, key).map((domain) => textOf(domain, 'Domain')));

/** Reads a Describe; what is not as it should be is left out. */
export function readDescription(from: Fields): Described {
  const required = from.RequiredForOnline;
  return {
    networkFile: textOf(from, 'NetworkFile'),
    linkFile: textOf(from, 'LinkFile'),
    onlineState: textOf(from, 'OnlineState'),
    activationPolicy: textOf(from, 'ActivationPolicy'),
    requiredForOnline: typeof required === 'boolean' ? required : null,
    dns: serversOf(from, 'DNS'),
    ntp: serversOf(from, 'NTP'),
    searchDomains: domainsOf(from, 'SearchDomains'),
    routeDomains: domainsOf(from, 'RouteDomains'),
    ssid: textOf(from, 'SSID'),
  };
}

/** `KEY=value` lines. */
export function readAssignments(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const [, key, value] = /^([A-Z0-9_]+)=(.*)$/.exec(line) ?? [];
      return key === undefined || value === undefined ? [] : [[key, value]];
    }),
  );
}

/** The states of a file of /run/systemd/netif/links, which tell how old it is. */
export function statesOf(text: string): { readonly administrative: string; readonly operational: string } {
  const found = readAssignments(text);
  return { administrative: found.get('ADMIN_STATE') ?? '', operational: found.get('OPER_STATE') ?? '' };
}

/** Reads a file of /run/systemd/netif/links. */
export function readStateFile(text: string): Described {
  const found = readAssignments(text);
  const one = (key: string): string | null => found.get(key) || null;
  const words = (key: string): string[] => (found.get(key) ?? '').split(' ').filter((word) => word !== '');
  const required = one('REQUIRED_FOR_ONLINE');
  return {
    networkFile: one('NETWORK_FILE'),
    linkFile: null,
    onlineState: one('ONLINE_STATE'),
    activationPolicy: one('ACTIVATION_POLICY'),
    requiredForOnline: required === null ? null : required === 'yes',
    dns: words('DNS'),
    ntp: words('NTP'),
    searchDomains: words('DOMAINS'),
    routeDomains: words('ROUTE_DOMAINS'),
    ssid: null,
  };
}
