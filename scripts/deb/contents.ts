/** What stands in the packages, and where it comes from. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import pkg from '../../package.json' with { type: 'json' };
import { completionScript } from '../../src/cli/completion-script.ts';
import { type ManPage, manPages } from '../man.ts';
import { CHANGELOG, readChangelog } from './changelog.ts';
import type { Fields, PackedFile } from './control.ts';
import { copyrightFile, type Licensed } from './copyright.ts';
import { libraryPackages } from './elf.ts';
import type { Parts } from './parts.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PACKAGING = join(ROOT, 'packaging');

export interface Package {
  readonly name: string;
  readonly control: Fields;
  /** Files of DEBIAN/ by name: maintainer scripts, triggers. */
  readonly scripts: Readonly<Record<string, string>>;
  readonly files: readonly PackedFile[];
  /** Those that may be empty. */
  readonly folders: readonly string[];
}

const file = (to: string, content: Uint8Array | string, mode = 0o644): PackedFile => ({
  to,
  content: typeof content === 'string' ? Buffer.from(content) : content,
  mode,
});
const from = (to: string, path: string, mode?: number): PackedFile => file(to, readFileSync(path), mode);
/** Node writes no name and no time into it. */
const gzipped = (to: string, content: Uint8Array | string): PackedFile =>
  file(`${to}.gz`, gzipSync(content, { level: constants.Z_BEST_COMPRESSION }));

const manFile = ({ name, section, text }: ManPage): PackedFile =>
  gzipped(`/usr/share/man/man${section}/${name}.${section}`, text);

/** Files that have the same names in each folder of packaging/. */
function common(name: string, folder: string, carried: readonly Licensed[]): PackedFile[] {
  const doc = `/usr/share/doc/${name}`;
  return [
    file(`${doc}/copyright`, copyrightFile(carried)),
    gzipped(`${doc}/changelog`, readFileSync(CHANGELOG)),
    from(`/usr/share/lintian/overrides/${name}`, join(folder, 'lintian-overrides')),
  ];
}

function scripts(folder: string): Record<string, string> {
  const found = readdirSync(join(folder, 'DEBIAN')).sort();
  return Object.fromEntries(found.map((name) => [name, readFileSync(join(folder, 'DEBIAN', name), 'utf8')]));
}

function licences(parts: Parts): Licensed[] {
  const { version: node } = JSON.parse(readFileSync(join(parts.nodeLicence, '..', 'package.json'), 'utf8'));
  const carried = Object.entries(pkg.dependencies).map(([name, version]) => {
    const folder = join(ROOT, 'node_modules', name);
    const licence = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
    if (licence === undefined) throw new Error(`${folder} has no licence`);
    return { name, version, licence: readFileSync(join(folder, licence), 'utf8') };
  });
  return [...carried, { name: 'Node.js', version: node, licence: readFileSync(parts.nodeLicence, 'utf8') }];
}

function everlan(parts: Parts): Package {
  const name = 'everlan';
  const folder = join(PACKAGING, name);
  const examples = join(ROOT, 'examples');
  return {
    name,
    control: {
      section: 'net',
      summary: 'VXLAN overlays that are still there tomorrow',
      description: [
        'One file describes the whole overlay, the same file on every host. Each host finds itself in it, makes the ' +
          "kernel match it, and keeps it matching through reboots, flapping links and other people's hands.",
        'This package has the program, its agent, and a Node.js of its own: it needs none of the system.',
      ],
      relations: {
        // passwd has groupadd.
        Depends: ['iproute2', ...libraryPackages(parts.needed), 'passwd'],
        Suggests: ['everlan-networkd-dispatcher'],
      },
    },
    scripts: scripts(folder),
    files: [
      from('/usr/bin/everlan', join(folder, 'everlan'), 0o755),
      from('/usr/lib/everlan/node', parts.node, 0o755),
      ...[...parts.library].map(([each, path]) => from(`/usr/lib/everlan/${each}`, path)),
      from('/usr/lib/systemd/system/everlan.service', join(folder, 'everlan.service')),
      from('/etc/everlan/fabric.yaml.example', join(examples, 'article.yaml')),
      ...readdirSync(examples)
        .filter((each) => each.endsWith('.yaml'))
        .map((each) => from(`/usr/share/doc/everlan/examples/${each}`, join(examples, each))),
      file('/usr/share/bash-completion/completions/everlan', completionScript('bash')),
      file('/usr/share/zsh/vendor-completions/_everlan', completionScript('zsh')),
      ...manPages()
        .filter(({ name: page }) => page !== 'networkd-dispatcher')
        .map(manFile),
      ...common(name, folder, licences(parts)),
    ],
    folders: [],
  };
}

/** The folders that Debian's package makes. Others are looked at, too. */
const HOOKS = ['carrier', 'degraded', 'dormant', 'no-carrier', 'off', 'routable'];

function dispatcher(): Package {
  const name = 'everlan-networkd-dispatcher';
  const folder = join(PACKAGING, 'networkd-dispatcher');
  return {
    name,
    control: {
      section: 'net',
      summary: "everlan's dispatcher in the place of networkd-dispatcher",
      description: [
        'Runs scripts when a link of systemd-networkd changes its state, with the folders, options, variables and messages of ' +
          'networkd-dispatcher, whose place it takes. A slow or hanging script does not hold up the others, and nothing is ' +
          'run that somebody else than root could have changed.',
      ],
      relations: {
        Depends: [`everlan (= ${readChangelog().version})`, 'dbus'],
        Provides: ['networkd-dispatcher'],
        Conflicts: ['networkd-dispatcher'],
        Replaces: ['networkd-dispatcher'],
      },
    },
    scripts: scripts(folder),
    files: [
      from('/usr/bin/networkd-dispatcher', join(folder, 'networkd-dispatcher'), 0o755),
      // Twice, for postinst.
      ...['/usr/lib/systemd/system', `/usr/share/${name}`].map((to) =>
        from(`${to}/networkd-dispatcher.service`, join(folder, 'networkd-dispatcher.service')),
      ),
      from('/etc/default/networkd-dispatcher', join(folder, 'networkd-dispatcher.default')),
      ...manPages()
        .filter(({ name: page }) => page === 'networkd-dispatcher')
        .map(manFile),
      ...common(name, folder, []),
    ],
    folders: [...HOOKS.map((state) => `/etc/networkd-dispatcher/${state}.d`), '/usr/lib/networkd-dispatcher'],
  };
}

export function packages(parts: Parts): readonly Package[] {
  return [everlan(parts), dispatcher()];
}
