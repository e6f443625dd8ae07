/** What the packages are made of: the bundles of dist/, Node, and koffi’s binary for the architecture that is wanted. */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Arch, hostArch, NODE_ARCH } from './arch.ts';
import { merge, type Needed, neededBy } from './elf.ts';
import { run } from './run.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const DIST = join(ROOT, 'dist');
const DOWNLOADS = join(ROOT, '.cache', 'npm');

/** The bundles that services run, and V8's flags in their units: code that is kept must be made under the same. */
const FLAGS: Readonly<Record<string, readonly string[]>> = { agent: ['--jitless'] };

export interface Parts {
  /** Node, without its symbol table. */
  readonly node: string;
  /** Where the licence of Node is. */
  readonly nodeLicence: string;
  /** File names of /usr/lib/everlan, Node aside, and where they are. */
  readonly library: ReadonlyMap<string, string>;
  readonly needed: Needed;
}

/** A part that is neither installed nor to be had from the registry. */
export class MissingPartError extends Error {
  override readonly name = 'MissingPartError';
}

interface Locked {
  readonly version: string;
  readonly integrity: string;
}

function locked(name: string): Locked {
  const lock: { packages: Record<string, Locked> } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const found = lock.packages[`node_modules/${name}`];
  if (found === undefined) throw new Error(`package-lock.json has no ${name}`);
  return found;
}

function integrityOf(file: string): string {
  return `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
}

/**
 * The folder of a package: the installed one, else, as npm installs none for another architecture, what `npm pack`
 * fetches, if it is what the lock file says.
 */
function packageFolder(name: string): string {
  const installed = join(ROOT, 'node_modules', name);
  if (existsSync(installed)) return installed;
  const { version, integrity } = locked(name);
  const folder = join(DOWNLOADS, `${name.replaceAll('/', '-')}-${version}`);
  if (existsSync(folder)) return join(folder, 'package');
  const made = `${folder}.new`;
  rmSync(made, { recursive: true, force: true });
  mkdirSync(made, { recursive: true });
  let archive: string;
  try {
    archive = join(made, run('npm', ['pack', '--silent', '--pack-destination', made, `${name}@${version}`]).trim());
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new MissingPartError(`${name} ${version} is not installed and npm cannot fetch it: ${why}`);
  }
  if (integrityOf(archive) !== integrity) throw new Error(`${archive} is not what package-lock.json says`);
  run('tar', ['-xzf', archive, '-C', made]);
  rmSync(archive);
  run('mv', ['-T', made, folder]);
  return join(folder, 'package');
}

/** Bundles, and for the architecture that this build runs on, V8's code of them: it fits no other. */
function copyBundles(arch: Arch, to: string): void {
  for (const name of readdirSync(DIST).filter((each) => /\.m?js$/.test(each)))
    copyFileSync(join(DIST, name), join(to, name));
  if (arch !== hostArch()) return;
  for (const name of readdirSync(to).filter((each) => each.endsWith('.js'))) {
    const flags = FLAGS[name.replace(/\.js$/, '')] ?? [];
    // The one that installs are made of, not the one that runs this.
    const node = join(packageFolder(`node-linux-${NODE_ARCH[arch]}`), 'bin/node');
    // Without an environment: some of it has Node compile more, and the count of that gets into the code.
    run(node, ['--random-seed=1', ...flags, join(import.meta.dirname, 'code-cache.js'), join(to, name)], {});
  }
}

/** @param work a folder for what is made on the way; it must live as long as the parts. */
export function findParts(arch: Arch, work: string): Parts {
  if (!existsSync(join(DIST, 'everlan.mjs'))) throw new Error('dist/ is empty: run make build');
  const library = join(work, 'library');
  mkdirSync(library, { recursive: true });
  const cpu = NODE_ARCH[arch];
  const nodeFolder = packageFolder(`node-linux-${cpu}`);
  const node = join(work, 'node');
  // A seventh of it is symbols. eu-strip knows the binaries of other architectures too.
  run('eu-strip', ['-o', node, join(nodeFolder, 'bin/node')]);
  copyBundles(arch, library);
  const binary = join(packageFolder(`@koromix/koffi-linux-${cpu}`), `linux_${cpu}`, 'koffi.node');
  run('eu-strip', ['-o', join(library, `koffi-${cpu}.node`), binary]);
  return {
    node,
    nodeLicence: join(nodeFolder, 'LICENSE'),
    library: new Map(
      readdirSync(library)
        .sort()
        .map((name) => [name, join(library, name)]),
    ),
    needed: merge(neededBy(node), neededBy(binary)),
  };
}
