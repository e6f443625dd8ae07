import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { areReached, conflicts, globToRegExp, readSections } from './conflicts.ts';

const NETWORKD = '/lib/systemd/systemd-networkd';
const ETC = '/etc/systemd/network';
const RUN = '/run/systemd/network';
const ALL = '[Match]\nName=*\n\n[Network]\nDHCP=yes\n';
const vxlan0 = (suffix: string): string => `[Match]\nName=vxlan0\n${suffix}`;

interface Case {
  readonly name: string;
  /** Path → text; systemd-networkd is there besides. */
  readonly files: Readonly<Record<string, string>>;
  /** What each message and hint must say. */
  readonly want: readonly RegExp[];
}

const CASES: readonly Case[] = [
  { name: 'nothing', files: {}, want: [] },
  {
    name: 'one that sorts before ours and matches',
    files: { [`${ETC}/00-all.network`]: ALL },
    want: [
      /^\/etc\/systemd\/network\/00-all\.network comes before .* matches vxlan0, vxlan1, br0, .*sorts after 00-everlan-article/,
    ],
  },
  { name: 'one that sorts after ours', files: { [`${ETC}/10-all.network`]: ALL }, want: [] },
  {
    name: 'masked by one of the same name',
    files: { [`${RUN}/00-all.network`]: ALL, [`${ETC}/00-all.network`]: '' },
    want: [],
  },
  { name: 'it names other links', files: { [`${ETC}/00-a.network`]: '[Match]\nName=eth* en*\n' }, want: [] },
  { name: 'it names all but ours', files: { [`${ETC}/00-a.network`]: '[Match]\nName=!vxlan* br0\n' }, want: [] },
  {
    name: 'a glob, a set, a second line',
    files: { [`${ETC}/00-a.network`]: '[Match]\nName=eth0\nName=vxlan[1-9]\n' },
    want: [/matches vxlan1,/],
  },
  {
    name: 'another key may exclude ours',
    files: { [`${ETC}/00-a.network`]: '[Match]\nName=*\nType=ether\n' },
    want: [],
  },
  {
    name: 'it leaves them alone itself',
    files: { [`${ETC}/00-a.network`]: vxlan0('[Link]\nUnmanaged=yes\n') },
    want: [],
  },
  {
    name: 'our own file is masked',
    files: { [`${ETC}/00-everlan-article.network`]: '' },
    want: [/^\/etc\/systemd\/network\/00-everlan-article\.network hides \/run\//],
  },
  { name: 'our own file', files: { [`${RUN}/00-everlan-article.network`]: vxlan0('') }, want: [] },
  {
    name: 'a .netdev of our name',
    files: {
      [`${ETC}/50-v.netdev`]: '[NetDev]\nName=vxlan1\nKind=vxlan\n',
      [`${ETC}/50-w.netdev`]: '[NetDev]\nName=w0\n',
    },
    want: [/^\/etc\/systemd\/network\/50-v\.netdev makes a link vxlan1 too/],
  },
  {
    name: 'netplan',
    files: {
      [`${RUN}/10-netplan-vxlan0.netdev`]: '[NetDev]\nName=vxlan0\nKind=vxlan\n',
      [`${RUN}/10-netplan-vxlan0.network`]: vxlan0(''),
      [`${RUN}/10-netplan-eth0.network`]: '[Match]\nName=eth0\n',
    },
    want: [/^netplan declares vxlan0 too .*netplan apply/, /^netplan makes a link vxlan0 too .*netplan apply/],
  },
  {
    name: 'ifupdown',
    files: {
      '/sbin/ifup': '',
      '/etc/network/interfaces': 'auto lo\niface lo inet loopback\n# iface vxlan1 inet manual\n',
      '/etc/network/interfaces.d/overlay': 'auto vxlan0\niface vxlan0 inet static\niface vxlan0 inet6 manual\n',
    },
    want: [/^\/etc\/network\/interfaces\.d\/overlay has `iface vxlan0`/],
  },
  { name: 'no ifupdown', files: { '/etc/network/interfaces': 'iface vxlan0 inet manual\n' }, want: [] },
  {
    name: 'a connection of NetworkManager',
    files: {
      '/usr/sbin/NetworkManager': '',
      '/etc/NetworkManager/system-connections/a.nmconnection': '[connection]\nid=my overlay\ninterface-name=br0\n',
      '/etc/NetworkManager/system-connections/b.nmconnection': '[connection]\nid=wired\ninterface-name=eth0\n',
      '/etc/NetworkManager/system-connections/c.nmconnection': '[connection]\nid=any\ntype=ethernet\n',
    },
    want: [
      /^NetworkManager has a connection “my overlay” for br0 \(.*a\.nmconnection\).*nmcli connection delete "my overlay"/,
    ],
  },
];

/** A host with these files, and systemd-networkd. */
function hostWith(t: TestContext, files: Case['files']): string {
  const root = mkdtempSync(join(tmpdir(), 'everlan-conflicts-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries({ [NETWORKD]: '', ...files })) {
    mkdirSync(dirname(root + path), { recursive: true });
    writeFileSync(root + path, text);
  }
  return root;
}

const REACHED: readonly { readonly name: string; readonly files: Case['files']; readonly want: boolean }[] = [
  { name: 'by nobody', files: {}, want: false },
  { name: 'the underlay alone has a file', files: { [`${ETC}/10-eth0.network`]: '[Match]\nName=eth*\n' }, want: false },
  { name: 'a file for all links, after ours', files: { [`${ETC}/99-all.network`]: ALL }, want: true },
  { name: 'a file for a kind', files: { [`${ETC}/99-k.network`]: '[Match]\nKind=vxlan\n' }, want: true },
  {
    name: 'a file for hardware',
    files: { [`${ETC}/99-h.network`]: '[Match]\nMACAddress=02:00:00:00:00:01\n' },
    want: false,
  },
  { name: 'our own file', files: { [`${RUN}/00-everlan-article.network`]: ALL }, want: false },
  {
    name: 'a .netdev of our name',
    files: { [`${ETC}/50-v.netdev`]: '[NetDev]\nName=vxlan1\nKind=vxlan\n' },
    want: true,
  },
];

for (const { name, files, want } of REACHED) {
  test(`reached: ${name}`, (t) => {
    assert.equal(areReached('article', ['vxlan0', 'vxlan1'], hostWith(t, files)), want);
  });
}

for (const { name, files, want } of CASES) {
  test(`conflicts: ${name}`, (t) => {
    const root = hostWith(t, files);
    const found = conflicts('article', ['vxlan0', 'vxlan1', 'br0'], root);
    const said = found.map(({ message, hint }) => `${message} ${hint}`);
    assert.equal(said.length, want.length, said.join('\n'));
    for (const [i, each] of want.entries()) assert.match(said[i] ?? '', each);
    assert.ok(found.every(({ code, severity }) => code === 'neighbour' && severity === 'warning'));
  });
}

test('sections: comments, continued lines, emptied lists', () => {
  const text = '# Name=x\n[Match]\nName=a \\\n b\nName=\nName = c\n;k=v\n[Link]\nUnmanaged=yes\nnonsense\n';
  const sections = readSections(text).map(({ name, keys }) => [name, Object.fromEntries(keys)]);
  assert.deepEqual(sections, [
    ['Match', { Name: ['c'] }],
    ['Link', { Unmanaged: ['yes'] }],
  ]);
});

const GLOBS: readonly { glob: string; yes: readonly string[]; no: readonly string[] }[] = [
  { glob: 'vx*', yes: ['vx', 'vxlan0'], no: ['avx'] },
  { glob: 'vx?', yes: ['vx1'], no: ['vx', 'vx12'] },
  { glob: '[a-c]x', yes: ['ax', 'cx'], no: ['dx', '-x'] },
  { glob: '[!a]x', yes: ['bx'], no: ['ax'] },
  { glob: '[]a]x', yes: [']x', 'ax'], no: ['bx'] },
  { glob: '\\*', yes: ['*'], no: ['a'] },
  { glob: 'a.b+(c)', yes: ['a.b+(c)'], no: ['aXb+(c)'] },
  { glob: '[z-a]', yes: [], no: ['z', 'a', '[z-a]'] },
];

for (const { glob, yes, no } of GLOBS) {
  test(`the glob ${glob}`, () => {
    const pattern = globToRegExp(glob);
    assert.deepEqual(
      [...yes, ...no].filter((name) => pattern.test(name)),
      yes,
    );
  });
}
