/** Collects what is known of a link: the kernel, networkd, sysfs and udev's database. */
import { readFileSync } from 'node:fs';
import type { LinkReader, LinkStatus } from '../kernel/link-status.ts';
import type { NetworkdWatch } from '../networkd/links.ts';
import { type Described, readAssignments, readDescription, readStateFile, statesOf } from './describe.ts';
import type { LinkFacts, States } from './environment.ts';
import type { Life } from './lives.ts';

export interface Sources {
  readonly reader: LinkReader;
  readonly watch: Pick<NetworkdWatch, 'describe'>;
}

const NONE: ReadonlyMap<string, string> = new Map();

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** What the driver says of the device. In a container /sys may show another machine's links. */
function ueventOf({ name, index }: LinkStatus): ReadonlyMap<string, string> {
  const found = readAssignments(textOf(`/sys/class/net/${name}/uevent`) ?? '');
  return found.get('IFINDEX') === String(index) ? found : NONE;
}

/** `E:KEY=value` lines among others (udev's database, as libudev and sd-device read it). */
function udevOf({ index }: LinkStatus): ReadonlyMap<string, string> {
  const text = textOf(`/run/udev/data/n${index}`);
  if (text === null) return NONE;
  const properties = text.split('\n').filter((line) => line.startsWith('E:'));
  return readAssignments(properties.map((line) => line.slice(2)).join('\n'));
}

/** As networkctl names them (ARPHRD_* of <linux/if_arp.h>), those that a host may well have. */
const HARDWARE: Readonly<Record<number, string>> = {
  1: 'ether',
  32: 'infiniband',
  280: 'can',
  512: 'ppp',
  519: 'rawip',
  768: 'tunnel',
  769: 'tunnel6',
  772: 'loopback',
  776: 'sit',
  778: 'ipgre',
  801: 'ieee80211',
  804: 'ieee802154',
  823: 'ip6gre',
  65534: 'none',
};

const typeOf = (status: LinkStatus): string =>
  ueventOf(status).get('DEVTYPE') ?? HARDWARE[status.hardwareType] ?? 'n/a';

const stateFileOf = (index: number): string | null => textOf(`/run/systemd/netif/links/${index}`);

/** States in which networkd has nothing to say of a link yet, or no more: no lease, no servers, no domains. */
const BARE = new Set(['off', 'no-carrier', 'dormant', 'carrier', 'missing']);

/** Whether the file tells of the event already, or need not. */
function isRecent(text: string, { state, administrative, operational }: States): boolean {
  if (BARE.has(state)) return true;
  const states = statesOf(text);
  return states.administrative === administrative && states.operational === operational;
}

async function asked(sources: Sources, index: number): Promise<Described | null> {
  const described = await sources.watch.describe(index);
  if (described !== null) return readDescription(described);
  const text = stateFileOf(index);
  return text === null ? null : readStateFile(text);
}

/** What the kernel has now; also kept in `life`, for when the link is gone. */
function look({ reader }: Sources, life: Life): LinkStatus | null {
  const status = life.gone ? null : reader.status(life.index);
  if (status === null) return null;
  life.name = status.name;
  life.type = typeOf(status);
  return status;
}

/**
 * networkd often takes 10 ms until it answers a call after a change, while the file that networkctl reads is there: so
 * the file counts when it tells of the event, and else networkd is asked. The name of a wireless network is in the
 * answer alone.
 */
export async function factsOf(sources: Sources, life: Life, states: States): Promise<LinkFacts> {
  let status = look(sources, life);
  let described: Described | null = null;
  if (status !== null) {
    const text = life.type === 'wlan' ? null : stateFileOf(life.index);
    if (text !== null && isRecent(text, states)) described = readStateFile(text);
    else {
      described = await asked(sources, life.index);
      // Names and addresses as fresh as can be.
      status = look(sources, life);
    }
  }
  return { name: life.name, type: life.type, status, described, udev: status === null ? NONE : udevOf(status) };
}
