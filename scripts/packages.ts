/**
 * Sees to the programs that tests and benchmarks run beside everlan. As root on Debian and Ubuntu, what is missing is
 * installed; elsewhere it is named, and the tests that need it say themselves that they are skipped.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

interface Tool {
  readonly program: string;
  /** The Debian package that has it. */
  readonly package: string;
  readonly why: string;
}

const TOOLS: readonly Tool[] = [
  { program: 'ip', package: 'iproute2', why: 'the reference: what the kernel has is read, changed and timed with it' },
  { program: 'bridge', package: 'iproute2', why: 'the reference for forwarding rows and bridge ports' },
  { program: 'tc', package: 'iproute2', why: 'makes the underlay of a test slow or lossy' },
  { program: 'unshare', package: 'util-linux', why: 'runs a test in namespaces of its own, also without root' },
  { program: 'nsenter', package: 'util-linux', why: 'looks into a namespace from outside' },
  { program: 'setpriv', package: 'util-linux', why: 'runs everlan without root and without capabilities' },
  { program: 'script', package: 'bsdutils', why: 'gives a test a terminal' },
  { program: 'zsh', package: 'zsh', why: 'reads the completion script that is made for it' },
  { program: 'dbus-daemon', package: 'dbus', why: 'the message bus of hosts that tests make' },
  { program: 'networkd-dispatcher', package: 'networkd-dispatcher', why: 'the reference for everlan dispatcher' },
  { program: 'networkctl', package: 'systemd', why: 'systemd-networkd and its tools, on hosts that tests make' },
  { program: 'netplan', package: 'netplan.io', why: 'makes networkd’s files of what is rendered for it' },
  { program: 'udevadm', package: 'udev', why: 'applies .link files as udev does, on hosts that tests make' },
  { program: 'mmdebstrap', package: 'mmdebstrap', why: 'makes the Debian of the real hosts that tests boot' },
  { program: 'systemd-nspawn', package: 'systemd-container', why: 'boots and reboots real hosts with systemd' },
  { program: 'dpkg-deb', package: 'dpkg', why: 'makes the packages' },
  { program: 'eu-strip', package: 'elfutils', why: 'takes the symbols out of Node, whatever it is made for' },
  { program: 'readelf', package: 'binutils', why: 'says which versions of libraries a package needs' },
  { program: 'lintian', package: 'lintian', why: 'judges the packages' },
  {
    program: 'shellcheck',
    package: 'shellcheck',
    why: 'judges the scripts of the packages, and those that are rendered',
  },
  { program: 'ethtool', package: 'ethtool', why: 'switches checksum offload for the scripts that are rendered' },
  { program: 'groff', package: 'groff-base', why: 'sets the man pages' },
];

/** Debian's folders for root's programs are missing in the PATH of some shells. */
const PATH = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];

function has(program: string): boolean {
  return PATH.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Runs apt-get without asking anything; its words go to standard error. */
function apt(...args: string[]): boolean {
  const options = ['-q', '-y', '-o', 'DPkg::Lock::Timeout=120'];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', [...options, ...args], { env, stdio: ['ignore', 2, 2] }).status === 0;
}

function main(): void {
  const missing = TOOLS.filter(({ program }) => !has(program));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((tool) => tool.package))];
  if (process.geteuid?.() === 0 && has('apt-get')) {
    console.error(`packages: installing ${packages.join(', ')}`);
    const install = (): boolean => apt('install', '--no-install-recommends', ...packages);
    // The lists of packages may be missing or old: then they are fetched, and it is tried once more.
    if (!install() && !(apt('update') && install())) {
      console.error('packages: apt-get failed, see above');
      process.exitCode = 1;
    }
  }
  for (const tool of missing) {
    if (!has(tool.program)) console.error(`packages: no ${tool.program} (Debian: ${tool.package}): ${tool.why}`);
  }
}

if (import.meta.main) main();
