/** Collects what is known of a link: the kernel, networkd, sysfs and udev's database. */
import { readFileSync } from 'node:fs';
import type { LinkReader, LinkStatus } from '../kernel/link-status.ts';
import type { NetworkdWatch } from '../networkd/links.ts';
import { type Described, readAssignments, readDescription, readStateFile } from './describe.ts';
import type { LinkFacts } from './environment.ts';
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

async function describedOf(sources: Sources, index: number): Promise<Described | null> {
  const described = await sources.watch.describe(index);
  if (described !== null) return readDescription(described);
  const text = textOf(`/run/systemd/netif/links/${index}`);
  return text === null ? null : readStateFile(text);
}

function typeOf(status: LinkStatus, described: Described | null): string {
  const fallback = status.loopback ? 'loopback' : 'ether';
  return ueventOf(status).get('DEVTYPE') ?? described?.type ?? fallback;
}

/** Also keeps in `life` what will be needed when the link is gone. */
export async function factsOf(sources: Sources, life: Life): Promise<LinkFacts> {
  const described = life.gone ? null : await describedOf(sources, life.index);
  // After that, so that names and addresses are as fresh as can be.
  const status = life.gone ? null : sources.reader.status(life.index);
  if (status === null) return { name: life.name, type: life.type, status: null, described: null, udev: NONE };
  life.name = status.name;
  life.type = typeOf(status, described);
  return { name: status.name, type: life.type, status, described, udev: udevOf(status) };
}
