/** The Debian packages: what is in them, and what they do on real hosts. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import pkg from '../package.json' with { type: 'json' };
import { hostArch } from '../scripts/deb/arch.ts';
import { compareVersions } from '../scripts/deb/elf.ts';
import { buildPackages } from '../scripts/deb.ts';
import { cannotBuild, hostOf, INSIDE, sh } from './support/deb.ts';
import { runs } from './support/process.ts';
import { ran } from './support/program.ts';
import { needsRealHost, type Suite } from './support/real-host.ts';

const ROOT = join(import.meta.dirname, '..');
const MIB = 2 ** 20;
const execFileAsync = promisify(execFile);
const needs = (program: string): string | false => (runs(program) ? false : `needs ${program}`);

const FABRIC = `fabric: deb
hosts: {alpha: 198.51.100.1, beta: 198.51.100.2}
overlays:
  vx: {vni: 77, hosts: {alpha: 10.77.0.1/24, beta: 10.77.0.2/24}, routes: [{to: 10.78.0.0/16, via: beta}]}
  lan: {vni: 78, bridge: br-ours, hosts: {alpha: 10.79.0.1/24, beta: null}}
  joined: {vni: 79, bridge: br-theirs, hosts: {alpha: [10.80.0.1/24, "fd00:80::1/64"], beta: 10.80.0.2/24}, routes: [{to: 10.81.0.0/16, via: beta}]}
`;

/** What the program printed; it must not fail. */
function output(program: string, ...args: string[]): string {
  const { code, out, err } = ran(program, args, { maxBuffer: 64 * MIB });
  assert.equal(code, 0, `${program} ${args.join(' ')}: ${err}${out}`);
  return out;
}

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** The packages that bundles have code of. */
async function bundled(): Promise<Set<string>> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['src/cli/run.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    metafile: true,
    outdir: 'dist',
    external: ['koffi'],
    logLevel: 'silent',
  });
  const names = Object.keys(metafile.inputs).map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
  return new Set(names.filter((name) => name !== undefined));
}

describe('Debian packages', { skip: cannotBuild, concurrency: 2 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'everlan-deb-test-'));
  let everlan = '';
  let dispatcher = '';

  /** The fastest compression: what is in them is the same. */
  const make = (name: string): string[] => buildPackages({ output: join(folder, name), arch: hostArch(), level: '0' });

  before(() => {
    const [first = '', second = ''] = make('first');
    everlan = first;
    dispatcher = second;
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  // First, and in a process beside the others: it takes as long as they do.
  test('lintian has nothing to say', { skip: needs('lintian') }, async () => {
    // Root may run it too; what it says does not depend on that. The spelling in Node's texts is its authors' business. It
    // prints what it has to say, and exits 2 for errors.
    const options = ['--allow-root', '--tag-display-limit', '0', '--dont-check-part', 'binaries/spelling'];
    const said = await execFileAsync('lintian', [...options, everlan, dispatcher]).catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    assert.equal(said.stderr + said.stdout, '');
  });

  test('names', () => {
    assert.equal(basename(everlan), `everlan_${pkg.version}_${hostArch()}.deb`);
    assert.equal(basename(dispatcher), `everlan-networkd-dispatcher_${pkg.version}_${hostArch()}.deb`);
  });

  test('the same sources give the same bytes', () => {
    const before = process.umask(0o077);
    let again: string[];
    try {
      again = make('with another umask, in a folder with a longer name');
    } finally {
      process.umask(before);
    }
    assert.deepEqual(again.map(sha256), [everlan, dispatcher].map(sha256));
  });

  test('at most 45 MiB, even with the fastest compression', () => {
    const mebibytes = statSync(everlan).size / MIB;
    assert.ok(mebibytes <= 45, `${mebibytes} MiB`);
  });

  test('all is root’s, and only programs may be run', () => {
    for (const deb of [everlan, dispatcher]) {
      for (const line of output('dpkg-deb', '--contents', deb).trim().split('\n')) {
        const [mode = '', owner = '', , , , path = ''] = line.split(/\s+/);
        assert.equal(owner, 'root/root', line);
        const want =
          mode.startsWith('d') || /^\.\/usr\/(bin\/|lib\/everlan\/node$)/.test(path) ? 'rwxr-xr-x' : 'rw-r--r--';
        assert.equal(mode.slice(1), want, line);
      }
    }
  });

  const CONTENT: readonly { deb: () => string; paths: readonly string[] }[] = [
    {
      deb: () => everlan,
      paths: [
        'usr/bin/everlan',
        'usr/lib/everlan/node',
        'usr/lib/everlan/everlan.mjs',
        ...['program', 'agent', 'dispatcher'].flatMap((name) => [
          `usr/lib/everlan/${name}.js`,
          `usr/lib/everlan/${name}.cache`,
        ]),
        `usr/lib/everlan/koffi-${process.arch}.node`,
        'usr/lib/systemd/system/everlan.service',
        'usr/share/bash-completion/completions/everlan',
        'usr/share/zsh/vendor-completions/_everlan',
        'usr/share/man/man1/everlan.1.gz',
        'usr/share/man/man5/fabric.yaml.5.gz',
        'usr/share/man/man8/everlan-agent.8.gz',
        'usr/share/doc/everlan/copyright',
        'usr/share/doc/everlan/changelog.gz',
        'etc/everlan/fabric.yaml.example',
      ],
    },
    {
      deb: () => dispatcher,
      paths: [
        'usr/bin/networkd-dispatcher',
        'usr/lib/systemd/system/networkd-dispatcher.service',
        'etc/default/networkd-dispatcher',
        'usr/share/man/man8/networkd-dispatcher.8.gz',
        'usr/share/doc/everlan-networkd-dispatcher/copyright',
        'etc/networkd-dispatcher/routable.d/',
        'usr/lib/networkd-dispatcher/',
      ],
    },
  ];
  for (const [i, { deb, paths }] of CONTENT.entries()) {
    test(`content of the ${i === 0 ? 'first' : 'second'}`, () => {
      const found = new Set(
        output('dpkg-deb', '--contents', deb())
          .split('\n')
          .map((line) => line.split(/\s+/)[5]?.slice(2)),
      );
      assert.deepEqual(
        paths.filter((path) => !found.has(path)),
        [],
      );
    });
  }

  test('runs with the C library of Ubuntu 20.04 and Debian 11', () => {
    const since = /\blibc6 \(>= ([0-9.]+)\)/.exec(output('dpkg-deb', '--field', everlan, 'Depends'))?.[1] ?? '';
    assert.ok(compareVersions(since, '2.31') <= 0, since);
    // What came with that is what its binaries ask for.
    assert.ok(compareVersions(since, '2.17') >= 0, since);
  });

  test('the licences of all that is bundled are in it', async () => {
    const carried = new Set(Object.keys(pkg.dependencies));
    assert.deepEqual(
      [...(await bundled())].filter((name) => !carried.has(name)),
      [],
    );
    const text = output(
      'sh',
      '-c',
      'dpkg-deb --fsys-tarfile "$1" | tar -xOf - ./usr/share/doc/everlan/copyright',
      'sh',
      everlan,
    );
    for (const name of [...carried, 'Node.js']) assert.match(text, new RegExp(`^${name} [0-9.]+$`, 'm'));
  });

  test('shellcheck has nothing to say', { skip: needs('shellcheck') }, () => {
    const scripts = ['everlan', 'networkd-dispatcher'].flatMap((name) => [
      `packaging/${name}/${name}`,
      ...['postinst', 'prerm', 'postrm'].map((script) => `packaging/${name}/DEBIAN/${script}`),
    ]);
    output('shellcheck', '--shell=sh', ...scripts.map((path) => join(ROOT, path)));
  });

  test('systemd judges the unit: exposure at most 2.0', { skip: needs('systemd-analyze') }, () => {
    const unit = join(ROOT, 'packaging/everlan/everlan.service');
    output('systemd-analyze', 'security', '--offline=true', '--threshold=20', '--no-pager', unit);
  });

  const SUITES: readonly Suite[] = ['bullseye', 'bookworm', 'trixie'];
  for (const suite of SUITES) {
    test(`${suite}: installed, upgraded, removed, purged`, { skip: needsRealHost }, async (t) => {
      const host = await hostOf(t, suite, [everlan]);
      const deb = `${INSIDE}/${basename(everlan)}`;
      await host.boot();
      sh(
        host,
        'ip link add br-theirs type bridge; ip link set br-theirs up; ip address add 10.99.0.1/24 dev br-theirs',
      );

      sh(host, `dpkg --install ${deb}`);
      assert.equal(sh(host, 'systemctl is-enabled everlan; systemctl is-active everlan'), 'enabled\nactive\n');
      host.write('/etc/everlan/fabric.yaml', FABRIC);
      sh(host, 'until everlan status --quiet --exit-code; do sleep 0.1; done');
      assert.match(sh(host, 'everlan status'), /matches the file/);
      sh(host, 'systemctl reload everlan');
      assert.match(sh(host, 'everlan version'), new RegExp(`^everlan ${pkg.version.replaceAll('.', '\\.')} `));
      // On the systemd of this suite nothing in it is unknown, and nothing is missing that it names. There is no man here.
      assert.equal(sh(host, 'systemd-analyze --man=no verify everlan.service'), '');
      const judged = sh(host, 'systemd-analyze security --no-pager everlan.service');
      const exposure = /Overall exposure level for everlan.service: ([0-9.]+)/.exec(judged)?.[1];
      assert.ok(Number(exposure) <= 2, judged);
      host.peer(
        'ip',
        'link',
        'add',
        'vx',
        'type',
        'vxlan',
        'id',
        '77',
        'dstport',
        '4789',
        'remote',
        '198.51.100.1',
        'dev',
        'eth0',
      );
      host.peer('ip', 'address', 'add', '10.77.0.2/24', 'dev', 'vx');
      host.peer('ip', 'link', 'set', 'vx', 'up');
      sh(host, 'ping -c 1 -w 10 10.77.0.2');

      // Somebody else's: in our link group, beside our links, with our words elsewhere in its alias.
      sh(
        host,
        `group=$(ip -o link show dev vx | sed -n 's/.* group \\([0-9]*\\) .*/\\1/p')
        ip link add stranger type vxlan id 900 dstport 4790
        ip link set dev stranger group "$group" alias 'not everlan:deb/vx'
        ip link add stranger-br type bridge
        ip route add 10.98.0.0/16 dev br-theirs proto 4`,
      );

      const index = (link: string): string => sh(host, `ip -o link show dev ${link}`).split(':')[0] ?? '';
      const links = ['vx', 'lan', 'joined', 'br-ours'];
      const indexes = links.map(index);
      const pid = (): string => sh(host, 'systemctl show --property=MainPID --value everlan');
      const first = pid();
      // The marks tell that the monitor listens, and that it has seen everything in between.
      const seen = sh(
        host,
        `ip -o monitor link >/var/tmp/seen &
        monitor=$!
        until grep -q mark0 /var/tmp/seen; do ip link add mark0 type bridge; ip link delete mark0; done
        dpkg --install ${deb} >/dev/null
        ip link add mark1 type bridge
        until grep -q mark1 /var/tmp/seen; do sleep 0.02; done
        kill $monitor
        cat /var/tmp/seen`,
      );
      assert.notEqual(pid(), first, 'the agent is another');
      assert.deepEqual(links.map(index), indexes);
      assert.doesNotMatch(seen, /: (vx|lan|joined|br-ours)[:@]/, 'the overlays were touched');

      assert.match(sh(host, 'dpkg --remove everlan'), /^everlan: the overlays stay .*dpkg --purge everlan$/m);
      assert.deepEqual(links.map(index), indexes);
      assert.equal(
        sh(host, 'ping -c 1 -w 10 10.77.0.2 >/dev/null; ls /usr/lib/everlan /usr/bin/everlan 2>/dev/null || :'),
        '',
      );

      sh(host, 'touch /run/systemd/network/00-everlan-deb.network /run/systemd/network/00-other.network');
      const purged = sh(host, 'dpkg --purge everlan');
      assert.doesNotMatch(purged, /everlan: |rror/, purged);
      const left = sh(host, 'ip -o link; ip -o address; ip route show table all; ip -6 route show table all');
      assert.doesNotMatch(left, /alias everlan:|: (vx|lan|joined|br-ours)[:@]|10\.(77|78|79|80|81)\.|fd00:80::1/m);
      for (const word of [
        ': stranger:',
        ': stranger-br:',
        ': br-theirs:',
        '10.99.0.1/24',
        '10.98.0.0/16',
        '198.51.100.1/24',
      ]) {
        assert.ok(left.includes(word), `${word} is gone:\n${left}`);
      }
      assert.equal(
        sh(
          host,
          `ls -d /run/everlan /var/lib/everlan /run/systemd/network/00-* /run/NetworkManager/conf.d/90-* 2>/dev/null || :
          getent group everlan || :
          find /etc/systemd /var/lib/systemd -name '*everlan*'
          ls /etc/everlan`,
        ),
        '/run/systemd/network/00-other.network\nfabric.yaml\n',
      );
    });
  }

  test('installed without a running systemd: it is there after the next boot', { skip: needsRealHost }, async (t) => {
    const host = await hostOf(t, 'bookworm', [everlan]);
    host.write('/etc/everlan/fabric.yaml', FABRIC);
    host.chroot('dpkg', '--install', `${INSIDE}/${basename(everlan)}`);
    await host.boot();
    assert.match(sh(host, 'everlan status'), /matches the file/);
    assert.match(sh(host, 'ip link show dev vx'), /alias everlan:deb\/vx/);
    host.chroot('true');
  });

  test('takes over from Debian’s networkd-dispatcher, which may be purged then', { skip: needsRealHost }, async (t) => {
    const host = await hostOf(t, 'bookworm', [everlan, dispatcher], ['networkd-dispatcher']);
    host.write('/etc/default/networkd-dispatcher', 'networkd_dispatcher_args="-T -v"\n');
    host.write(
      '/etc/networkd-dispatcher/routable.d/10-hook',
      '#!/bin/sh\necho "hook of $IFACE" >> /run/hooks\n',
      0o755,
    );
    await host.boot();
    const install = [everlan, dispatcher].map((deb) => `${INSIDE}/${basename(deb)}`).join(' ');
    sh(host, `rm -f /run/hooks; DEBIAN_FRONTEND=noninteractive dpkg --install ${install} </dev/null`);
    const program = (): string => {
      const pid = sh(host, 'systemctl show --property=MainPID --value networkd-dispatcher').trim();
      return sh(host, `readlink /proc/${pid}/exe`).trim();
    };
    const runsOurs = (): void => {
      assert.equal(
        sh(host, 'systemctl is-enabled networkd-dispatcher; systemctl is-active networkd-dispatcher'),
        'enabled\nactive\n',
      );
      assert.equal(program(), '/usr/lib/everlan/node');
      assert.match(sh(host, 'cat /etc/default/networkd-dispatcher'), /"-T -v"/);
      assert.match(sh(host, 'ls /etc/networkd-dispatcher/routable.d'), /^10-hook$/m);
    };
    runsOurs();
    sh(host, 'until grep -q "hook of eth0" /run/hooks; do sleep 0.05; done');
    sh(host, 'dpkg --purge networkd-dispatcher');
    runsOurs();
    await host.reboot();
    runsOurs();

    // What an administrator disabled stays so.
    sh(host, 'systemctl --quiet disable networkd-dispatcher');
    sh(host, `dpkg --install ${INSIDE}/${basename(dispatcher)}`);
    assert.match(sh(host, 'systemctl is-enabled networkd-dispatcher || :'), /^disabled$/m);
    sh(host, 'systemctl --quiet enable networkd-dispatcher');
    sh(host, 'dpkg --purge everlan-networkd-dispatcher');
    assert.match(sh(host, 'systemctl is-active networkd-dispatcher || :'), /^inactive$/m);
    assert.equal(sh(host, 'find /etc/systemd /usr/lib/systemd /var/lib/systemd -name "*networkd-dispatcher*"'), '');
    assert.match(sh(host, 'cat /etc/networkd-dispatcher/routable.d/10-hook'), /hook of/);
  });
});
