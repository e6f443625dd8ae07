import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { shortState as state } from '../plan/states.testing.ts';
import { claim, fileOf, isDue, namesBefore, ownNames, release, setTold } from './home.ts';
import { memoryStore } from './store.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'everlan-home-'));
  mkdirSync(join(root, 'run'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, text = ''): void {
  mkdirSync(dirname(root + path), { recursive: true });
  writeFileSync(root + path, text);
}

const NETWORKD = '/run/systemd/network/00-everlan-article.network';
const MANAGER = '/run/NetworkManager/conf.d/90-everlan-article.conf';
const read = (path: string): string => readFileSync(root + path, 'utf8');
const withNetworkd = (): void => write('/lib/systemd/systemd-networkd');
const withManager = (): void => write('/usr/sbin/NetworkManager');

test('systemd-networkd: the links by name, sorted, each once', () => {
  withNetworkd();
  assert.deepEqual(claim('article', ['vxlan1', 'br0', 'vxlan1'], root), {
    changed: ['systemd-networkd'],
    problems: [],
  });
  assert.equal(
    read(NETWORKD),
    [
      '# Written by everlan for the fabric article, and removed by `everlan down`.',
      '# systemd-networkd leaves the links of the fabric as they are, whatever its other files say.',
      '[Match]',
      'Name=br0 vxlan1',
      '',
      '[Link]',
      'Unmanaged=yes',
      '',
    ].join('\n'),
  );
  assert.equal(statSync(root + NETWORKD).mode & 0o777, 0o644);
  assert.equal(statSync(dirname(root + NETWORKD)).mode & 0o777, 0o755);
});

test('NetworkManager: in both ways', () => {
  withManager();
  assert.deepEqual(claim('article', ['vxlan0', 'br0'], root), { changed: ['NetworkManager'], problems: [] });
  assert.deepEqual(read(MANAGER).split('\n').slice(2), [
    '[keyfile]',
    'unmanaged-devices+=interface-name:=br0;interface-name:=vxlan0',
    '',
    '[device-everlan-article]',
    'match-device=interface-name:=br0;interface-name:=vxlan0',
    'managed=0',
    '',
  ]);
});

test('who is not installed gets nothing, and no systemd here means nothing at all', () => {
  assert.deepEqual(claim('article', ['vxlan0'], root), { changed: [], problems: [] });
  withNetworkd();
  assert.deepEqual(claim('article', ['vxlan0'], null), { changed: [], problems: [] });
  assert.deepEqual(readdirSync(join(root, 'run')), []);
});

/** What a link may be called, and how it is written for each. The tests on real hosts show that it is read so. */
const { raw } = String;
const NAMES: readonly { name: string; networkd: string; manager: string }[] = [
  { name: 'vxlan0', networkd: 'vxlan0', manager: 'vxlan0' },
  { name: 'a*', networkd: raw`a\\*`, manager: 'a*' },
  { name: '[a]', networkd: raw`\\[a\\]`, manager: '[a]' },
  { name: '!x', networkd: raw`\\!x`, manager: '!x' },
  { name: '77', networkd: raw`\\77`, manager: '77' },
  { name: raw`a\b`, networkd: raw`a\\\\b`, manager: raw`a\\b` },
  { name: 'a;b,c', networkd: 'a;b,c', manager: raw`a\;b\,c` },
];

for (const { name, networkd, manager } of NAMES) {
  test(`the name ${name}`, () => {
    withNetworkd();
    withManager();
    claim('article', [name], root);
    assert.ok(read(NETWORKD).includes(`\nName=${networkd}\n`), read(NETWORKD));
    assert.ok(read(MANAGER).includes(`\nmatch-device=interface-name:=${manager}\n`), read(MANAGER));
  });
}

test('4,000 names: no line of the file is long', () => {
  withNetworkd();
  const names = Array.from({ length: 4000 }, (_, i) => `overlay-${i}`);
  claim('article', names, root);
  const lines = read(NETWORKD).split('\n');
  assert.ok(lines.every((line) => line.length < 1000));
  const found = lines.flatMap((line) => (line.startsWith('Name=') ? line.slice(5).split(' ') : []));
  assert.deepEqual(found.sort(), names.sort());
});

test('the same again: the file stays the one that it is', () => {
  withNetworkd();
  claim('article', ['vxlan0'], root);
  const { ino } = lstatSync(root + NETWORKD);
  assert.deepEqual(claim('article', ['vxlan0'], root), { changed: [], problems: [] });
  assert.equal(lstatSync(root + NETWORKD).ino, ino);
});

test('released: the file is gone, that of another fabric stays', () => {
  withNetworkd();
  claim('article', ['vxlan0'], root);
  claim('other', ['vxlan9'], root);
  assert.deepEqual(release('article', root).changed, ['systemd-networkd']);
  assert.ok(!existsSync(root + NETWORKD));
  assert.ok(existsSync(root + fileOf('systemd-networkd', 'other')));
  assert.deepEqual(release('article', root), { changed: [], problems: [] });
});

test('uninstalled since: its file goes too', () => {
  withManager();
  claim('article', ['vxlan0'], root);
  rmSync(join(root, 'usr'), { recursive: true });
  assert.deepEqual(claim('article', ['vxlan0'], root).changed, ['NetworkManager']);
  assert.ok(!existsSync(root + MANAGER));
});

test('it cannot be written: a warning that names the file, and the other one is written', () => {
  withNetworkd();
  withManager();
  mkdirSync(join(root, 'run/systemd'));
  symlinkSync(tmpdir(), join(root, 'run/systemd/network'));
  const { changed, problems } = claim('article', ['vxlan0'], root);
  assert.deepEqual(changed, ['NetworkManager']);
  assert.deepEqual(
    problems.map(({ code, severity }) => [code, severity]),
    [['neighbour', 'warning']],
  );
  assert.ok(problems[0]?.message.includes(`${root}${NETWORKD} cannot be written`), problems[0]?.message);
});

test('who was told is remembered until the file changes', () => {
  withNetworkd();
  const due = (who: string): boolean => isDue('article', 'systemd-networkd', who, root);
  assert.ok(!due('bus :1.1'));
  claim('article', ['vxlan0'], root);
  assert.ok(due('bus :1.1'));
  setTold('article', 'systemd-networkd', 'bus :1.1', root);
  assert.ok(!due('bus :1.1'));
  assert.ok(due('bus :1.2'));
  claim('article', ['vxlan0', 'vxlan1'], root);
  assert.ok(due('bus :1.1'));
  setTold('article', 'systemd-networkd', 'bus :1.1', root);
  release('article', root);
  setTold('article', 'systemd-networkd', 'bus :1.1', root);
  assert.deepEqual(readdirSync(join(root, 'run/everlan')), []);
});

test('before anything is changed: what was applied, and what is not there; never what a stranger may have', () => {
  const wanted = state({
    vxlan0: {},
    vxlan1: {},
    br0: { kind: 'bridge' },
    eth1: { kind: 'port' },
    br9: { kind: 'joined' },
  });
  const store = memoryStore('article');
  const link = { index: 1, addresses: new Set<string>(), fdb: new Set<string>(), master: null };
  store.remember({
    links: new Map([
      ['vxlan7', { ...link, alias: 'everlan:article/vxlan7' }],
      ['eth7', { ...link, alias: '' }],
    ]),
  });
  const there = { name: 'vxlan1', index: 9, kind: 'vxlan', up: true, mtu: 1450, addresses: [] };
  const facts = { hostname: '', links: new Map([['vxlan1', there]]) };
  assert.deepEqual(namesBefore(store, wanted, facts), ['vxlan7', 'vxlan0', 'br0']);
  assert.deepEqual(ownNames(wanted), ['vxlan0', 'vxlan1', 'br0']);
});
