/** The command `everlan render`: what it prints and writes, for which hosts, and what it refuses. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needsRoot, testHost } from './support/host.ts';
import { everlan, temporaryFile, temporaryFolder } from './support/program.ts';

const FILE = `fabric: clitest
hosts:
  alpha: 198.51.100.1
  beta: {underlay: 198.51.100.2, device: eth9}
overlays:
  vxlan0: {vni: 77, hosts: {alpha: 169.254.0.1/24, beta: 169.254.0.2/24}}
`;

/** What networkd has no words for: an IPv6 link that names no address. */
const UNSAID = `fabric: clitest
hosts:
  alpha: {underlay: "2001:db8::1", device: eth0}
  beta: {underlay: "2001:db8::2", device: eth0}
overlays:
  vxlan0:
    vni: 77
    hosts: {alpha: null, beta: null}
    macs: {"02:00:00:00:00:01": beta, "02:00:00:00:00:02": alpha}
    flood: none
    local: none
`;

test('a script is printed as it is, and twice the same', (t) => {
  const file = temporaryFile(t, FILE);
  const once = everlan(['render', 'script', '-f', file, '--host', 'beta']);
  assert.equal(once.code, 0, once.err);
  assert.match(once.out, /^#!\/bin\/sh\n# Made by everlan \S+ from \S+fabric\.yaml: fabric clitest, host beta\.\n/);
  assert.deepEqual(everlan(['render', 'script', '-f', file, '--host', 'beta']), once);
});

test('several files are printed with a line before each', (t) => {
  const { code, out, err } = everlan(['render', 'systemd', '-f', temporaryFile(t, FILE), '--host', 'beta']);
  assert.equal(code, 0, err);
  assert.deepEqual(out.match(/^# ==> .*$/gm), [
    '# ==> usr/local/sbin/everlan-clitest (0755)',
    '# ==> etc/systemd/system/everlan-clitest.service (0644)',
  ]);
  assert.match(err, /^note: Then: systemctl daemon-reload/m);
  assert.equal(everlan(['render', 'systemd', '-q', '-f', temporaryFile(t, FILE), '--host', 'beta']).err, '');
});

test('--output writes a tree and tells what; nothing goes to standard output', (t) => {
  const folder = join(temporaryFolder(t), 'out');
  const { code, out, err } = everlan([
    ...['render', 'systemd', '-f', temporaryFile(t, FILE), '--host', 'beta', '--output', `${folder}/`],
  ]);
  assert.equal(code, 0, err);
  assert.equal(out, '');
  assert.match(err, new RegExp(`^0755 ${folder}/usr/local/sbin/everlan-clitest\n0644 ${folder}/etc/systemd/system/`));
  assert.equal(statSync(join(folder, 'usr/local/sbin/everlan-clitest')).mode & 0o7777, 0o755);
  assert.equal(statSync(join(folder, 'etc/systemd/system/everlan-clitest.service')).mode & 0o7777, 0o644);
});

test('--all-hosts: a folder for each host', (t) => {
  const folder = temporaryFolder(t);
  const args = ['render', 'script', '-f', temporaryFile(t, FILE), '--all-hosts', '--output', folder, '--json'];
  const { code, out, err } = everlan(args);
  assert.equal(code, 0, err);
  assert.deepEqual(readdirSync(folder).sort(), ['alpha', 'beta']);
  const told = JSON.parse(out);
  assert.deepEqual([told.version, told.fabric, told.target], [1, 'clitest', 'script']);
  assert.deepEqual(
    told.trees.map(({ host, files }: { host: string; files: unknown[] }) => [host, files]),
    ['alpha', 'beta'].map((host) => [host, [{ path: 'usr/local/sbin/everlan-clitest', mode: '0755' }]]),
  );
  assert.match(readFileSync(join(folder, 'beta/usr/local/sbin/everlan-clitest'), 'utf8'), /named='eth9'/);
});

test('cloud-init --all-hosts: one file for all', (t) => {
  const folder = temporaryFolder(t);
  const file = temporaryFile(t, FILE);
  const { code, err } = everlan(['render', 'cloud-init', '-f', file, '--all-hosts', '--output', folder]);
  assert.equal(code, 0, err);
  assert.deepEqual(readdirSync(folder), ['user-data']);
  assert.match(
    readFileSync(join(folder, 'user-data'), 'utf8'),
    /^#cloud-config\n.*fabric clitest, for all its hosts\.\n/,
  );
});

test('cloud-init with the package: the file goes along, as it is', (t) => {
  const url = ['--package-url', 'https://example.net/everlan.deb'];
  const { code, out, err } = everlan(['render', 'cloud-init', '-f', temporaryFile(t, FILE), '--all-hosts', ...url]);
  assert.equal(code, 0, err);
  assert(out.includes(FILE.replaceAll(/^/gm, '      ').trimEnd()), out);
});

test('--json without --output has the texts', (t) => {
  const file = temporaryFile(t, FILE);
  const { out } = everlan(['render', 'script', '-f', file, '--host', 'beta', '--json']);
  const [tree] = JSON.parse(out).trees;
  assert.equal(tree.files[0].text, everlan(['render', 'script', '-f', file, '--host', 'beta']).out);
});

test('a symbolic link below --output is not followed', (t) => {
  const [folder, outside] = [temporaryFolder(t), temporaryFolder(t)];
  symlinkSync(outside, join(folder, 'usr'));
  const args = ['render', 'script', '-f', temporaryFile(t, FILE), '--host', 'beta', '--output', folder];
  const { code, err } = everlan(args);
  assert.equal(code, 1);
  assert.match(err, /^error: cannot write: .*\/usr is a symbolic link, or no folder\n/);
  assert.deepEqual(readdirSync(outside), []);
});

test('--output that cannot be written: exit 1, in words', (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'usr/local/sbin/everlan-clitest'), { recursive: true });
  const args = ['render', 'script', '-f', temporaryFile(t, FILE), '--host', 'beta', '--output'];
  for (const output of [folder, '/dev/null']) {
    const { code, err } = everlan([...args, output]);
    assert.equal(code, 1);
    assert.match(err, /^error: cannot write: E/);
  }
});

test('what the target cannot say is an error with its place, and nothing is written', (t) => {
  const folder = join(temporaryFolder(t), 'out');
  const file = temporaryFile(t, UNSAID);
  const args = ['render', 'networkd', '-f', file, '--host', 'alpha', '--underlay-id', 'eth0'];
  const refused = everlan([...args, '--output', folder]);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /fabric\.yaml:11:5: error: networkd cannot say `local` of vxlan0: /);
  assert.match(refused.err, /^ +local: none\n +\^+\nhint: /m);
  assert.equal(existsSync(folder), false);
  const lenient = everlan([...args, '--lenient']);
  assert.equal(lenient.code, 0, lenient.err);
  assert.match(lenient.err, /fabric\.yaml:11:5: warning: networkd cannot say/);
  assert.match(lenient.out, /\[VXLAN\]/);
});

const usage: readonly { args: readonly string[]; says: RegExp }[] = [
  { args: [], says: /missing required argument 'TARGET'/ },
  { args: ['nothing'], says: /'nothing' is invalid.*script/ },
  { args: ['script', '--host', 'gamma'], says: /there is no host “gamma”/ },
  { args: ['script', '--host', 'alpha', '--all-hosts'], says: /give one/ },
  { args: ['script', '--all-hosts', '--output='], says: /--output takes the name of a folder/ },
  {
    args: ['script', '--host', 'beta', '--underlay-id', 'x'],
    says: /--underlay-id is for networkd and netplan, not for script/,
  },
  { args: ['systemd', '--host', 'beta', '--package-url', 'x'], says: /--package-url is for cloud-init/ },
  { args: ['cloud-init', '--host', 'beta', '--package-url', 'x'], says: /is no URL/ },
  { args: ['script'], says: /no host of the fabric clitest is this machine/ },
];

for (const { args, says } of usage) {
  test(`everlan render ${args.join(' ')}: exit 2`, (t) => {
    const { code, out, err } = everlan(['render', ...args, '-f', temporaryFile(t, FILE)]);
    assert.equal(code, 2, err);
    assert.equal(out, '');
    assert.match(err, says);
  });
}

test('on the host itself, in a namespace: it is found by its address', { skip: needsRoot }, (t) => {
  const host = testHost(t);
  const file = temporaryFile(t, FILE.replace('198.51.100.1', '10.0.0.1'));
  const { code, out, err } = everlan(['render', 'script', '-f', file, '--netns', host.name]);
  assert.equal(code, 0, err);
  // The file does not name the device, so the script looks when it runs.
  assert.match(out, /host alpha\..*uses='address'\nnamed=''\n/s);
});

test('the facts of this host count: an MTU that its device cannot carry is refused', { skip: needsRoot }, (t) => {
  const host = testHost(t);
  const text = FILE.replace('198.51.100.1', '10.0.0.1').replace('vni: 77', 'vni: 77, mtu: 9000');
  const file = temporaryFile(t, text);
  assert.equal(everlan(['render', 'script', '-f', file, '--host', 'beta', '--netns', host.name]).code, 0);
  const { code, err } = everlan(['render', 'script', '-f', file, '--netns', host.name]);
  assert.equal(code, 1);
  assert.match(err, /mtu 9000 of vxlan0 is more than 1450/);
});
