/** What is rendered for a tool and imported from it again wants the same of every host, in all that the tool can say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { renderHost } from '../cli/render-host.ts';
import { factsElsewhere } from '../fabric/elsewhere.ts';
import { parseFabricOrThrow } from '../fabric/parse.ts';
import { resolve } from '../fabric/resolve.ts';
import type { Desired } from '../model/desired.ts';
import type { Fabric } from '../model/fabric.ts';
import { ifupdown } from '../render/ifupdown.ts';
import { netplan } from '../render/netplan.ts';
import { networkd } from '../render/networkd.ts';
import { script } from '../render/script.ts';
import type { RenderContext, Target } from '../render/target.ts';
import type { Imported, Importer, SourceFile } from './found.ts';
import { importer as fromIfupdown } from './ifupdown.ts';
import { join } from './join.ts';
import { importer as fromNetplan } from './netplan.ts';
import { importer as fromNetworkd } from './networkd.ts';
import { fabrics } from './round-trip.testing.ts';
import { importer as fromScript } from './script.ts';
import { writeFabric } from './write.ts';

interface Row {
  readonly target: Target;
  readonly importer: Importer;
  /** Whether it has words of its own for all that is drawn. */
  readonly all: boolean;
  /** The file by which the underlay is configured. */
  underlay(address: string): SourceFile;
}

const ROWS: readonly Row[] = [
  {
    target: networkd,
    importer: fromNetworkd,
    all: true,
    underlay: (address) => ({
      path: '/etc/systemd/network/10-net.network',
      text: `[Match]\nName=eth0\n\n[Network]\nAddress=${address}\n`,
    }),
  },
  {
    target: netplan,
    importer: fromNetplan,
    all: false,
    underlay: (address) => ({
      path: '/etc/netplan/50-cloud-init.yaml',
      text: `network: {version: 2, ethernets: {10-net: {match: {name: "e*"}, set-name: eth0, addresses: ["${address}"]}}}\n`,
    }),
  },
  {
    target: ifupdown,
    importer: fromIfupdown,
    all: true,
    underlay: (address) => ({
      path: '/etc/network/interfaces.d/eth0',
      text: `iface eth0 inet static\n  address ${address}\n`,
    }),
  },
  {
    target: script,
    importer: fromScript,
    all: true,
    underlay: (address) => ({ path: '/usr/local/sbin/underlay', text: `ip address add ${address} dev eth0\n` }),
  },
];

const CONTEXT: RenderContext = { file: 'drawn.yaml', text: '', version: '1.0', underlayId: '10-net', packageUrl: null };

/** Order apart. */
const wanted = ({ state }: Desired): unknown => Object.fromEntries(state.links);

const fabricOf = (text: string): Fabric => parseFabricOrThrow(Buffer.from(text), 'drawn.yaml').fabric;

/** Where the tools look for their own files. */
const FOLDERS = /^\/(?:etc\/(?:netplan|systemd\/network|network\/interfaces\.d)|usr\/local\/sbin)\//;

function importedFrom({ target, importer, underlay }: Row, fabric: Fabric, name: string, address: string): Imported {
  const host = fabric.hosts.get(name);
  assert.ok(host);
  const { files } = target.render(renderHost(fabric, host), CONTEXT);
  const all = files.map(({ path, text }) => ({ path: `/${path}`, text }));
  const own = all.filter(({ path }) => path.startsWith(`/${target.name === 'script' ? 'usr' : 'etc'}/`));
  const read = own.filter(({ path }) => importer.pattern.test(path.replace(FOLDERS, '')));
  // In the order in which the tool reads them.
  const sorted = [...read, underlay(address)].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return importer.read(sorted, (pattern) => all.filter(({ path }) => path === pattern));
}

for (const row of ROWS) {
  test(`rendered for ${row.target.name} and imported again`, () => {
    fc.assert(
      fc.property(fabrics(row.all), ({ text, underlays }) => {
        const fabric = fabricOf(text);
        const members = new Set([...fabric.overlays.values()].flatMap((overlay) => [...overlay.members.keys()]));
        const hosts = [...members].toSorted();
        const imports = hosts.map((name) => ({
          name,
          imported: importedFrom(row, fabric, name, underlays.get(name) ?? ''),
          underlay: null,
        }));
        const { file, problems } = join(fabric.name, 'a test', imports);
        assert.deepEqual(problems, []);
        const again = fabricOf(writeFabric(file));
        for (const name of hosts) {
          const facts = factsElsewhere(fabric, name);
          assert.deepEqual(wanted(resolve(again, name, facts)), wanted(resolve(fabric, name, facts)), name);
        }
      }),
    );
  });
}
