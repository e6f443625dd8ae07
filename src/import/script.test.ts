import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Imported, ImportedLink } from './found.ts';
import { importer } from './script.ts';

function read(text: string): Imported {
  return importer.read([{ path: 'a.sh', text }], () => []);
}

/** What a link is, in a line. */
function short({ name, vni, attributes, ...link }: ImportedLink): string {
  const { port, remote, local, device } = attributes;
  return [
    `${name} ${vni}/${port ?? 8472}`,
    ...Object.entries({ remote, local, device, mtu: link.mtu, mac: link.mac })
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([key, value]) => `${key} ${value}`),
    ...link.addresses,
    ...link.flood.map((vtep) => `flood ${vtep}`),
    ...[...link.macs].map((row) => row.join('=')),
    ...[...link.neighbours].map((row) => row.join('=')),
    ...link.routes.map(({ to, via }) => `${to} via ${via}`),
    ...(link.bridge === null ? [] : [`in ${link.bridge.name} [${link.bridge.ports.join(' ')}]`]),
    ...(link.up === false ? ['down'] : []),
    ...(link.txChecksum ? [] : ['tx off']),
  ].join(' ');
}

const ADD = 'ip link add vx0 type vxlan id 77 dstport 4789';
const UP = 'ip link set vx0 up';

const understood: readonly { name: string; in: string; want: readonly string[] }[] = [
  {
    name: 'the article',
    in: `#!/bin/sh

if [ "$IFACE" = "eth0" ]; then
  ip link add vxlan0 type vxlan id 77 remote 10.10.0.4 dstport 4789 dev eth0
  ip link set up vxlan0
  ip address add 169.254.0.1/24 dev vxlan0
fi
`,
    want: ['vxlan0 77/4789 remote 10.10.0.4 device eth0 169.254.0.1/24'],
  },
  {
    name: 'options in another order, and abbreviated',
    in: 'ip l a name vx0 mtu 1400 type vxlan de eth0 dst 4789 rem 10.0.0.2 vn 0x4d; ip l s dev vx0 up',
    want: ['vx0 77/4789 remote 10.0.0.2 device eth0 mtu 1400'],
  },
  { name: 'no port', in: `ip link add vx0 type vxlan id 77\n${UP}`, want: ['vx0 77/8472'] },
  { name: 'port 0', in: `ip link add vx0 type vxlan id 77 dstport 0\n${UP}`, want: ['vx0 77/8472'] },
  { name: 'never set up', in: ADD, want: ['vx0 77/4789 down'] },
  {
    name: 'line ends, quotes and comments',
    in: `# a script\nip link add 'vx'0 \\\n  type vxlan id "77" \\\n  dstport 4789 # and so on\nip link set "vx0" up`,
    want: ['vx0 77/4789'],
  },
  {
    name: 'variables, one in the other, and with a fallback',
    in: `VNI=77\nexport IF="vx$((0))" IF=vx0\nP=\${PEER:-10.0.0.2}\nOPTS="id $VNI remote \${P}"\nip link add $IF type vxlan $OPTS\nip link set $IF up`,
    want: ['vx0 77/8472 remote 10.0.0.2'],
  },
  {
    name: 'made where it is not there',
    in: `ip link show vx0 >/dev/null 2>&1 || ${ADD}\nif ! ip -br link show vx0; then ${ADD.replace('vx0', 'vx1').replace('77', '78')}; fi`,
    want: ['vx0 77/4789 down', 'vx1 78/4789 down'],
  },
  { name: 'taken away before', in: `ip link del vx0 2>/dev/null\n${ADD} && ${UP}`, want: ['vx0 77/4789'] },
  { name: 'taken away after', in: `${ADD}\nip link del vx0`, want: [] },
  {
    name: 'verbs',
    in: `case "$1" in\n  start) ${ADD}; ${UP} ;;\n  stop) ip link del vx0 ;;\n  *) echo "usage: $0 start|stop" ;;\nesac`,
    want: ['vx0 77/4789'],
  },
  {
    name: 'functions with arguments',
    in: `make() { ip link add "$1" type vxlan id $2; shift 2; ip addr add "$@" dev vx0; }\nmain() {\n  make vx0 77 169.254.0.1/24\n}\nmain "$@"`,
    want: ['vx0 77/8472 169.254.0.1/24 down'],
  },
  {
    name: 'functions that the command line chooses',
    in: `up() { ${ADD}; }\ndown() { ip link del vx0; }\n"$@"`,
    want: ['vx0 77/4789 down'],
  },
  {
    name: 'loops over words',
    in: `${ADD}\nfor vtep in 10.0.0.2 10.0.0.3; do\n  bridge fdb append 00:00:00:00:00:00 dev vx0 dst $vtep\ndone\n${UP}`,
    want: ['vx0 77/4789 flood 10.0.0.2 flood 10.0.0.3'],
  },
  {
    name: 'what stands on it',
    in: `${ADD} remote 10.0.0.2\nip link set vx0 address 02:00:00:00:00:01 mtu 1300 up\nip -6 a a fd00::1/64 dev vx0 nodad
bridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.3\nbridge fdb add 02:00:00:00:00:02 dev vx0 dst 10.0.0.2
ip neigh add fd00::2 lladdr 02-00-00-00-00-02 dev vx0 nud permanent\nip route add fd01::/64 via fd00::2\nethtool -K vx0 tx off`,
    want: [
      'vx0 77/4789 remote 10.0.0.2 mtu 1300 mac 02:00:00:00:00:01 fd00::1/64 flood 10.0.0.3 02:00:00:00:00:02=10.0.0.2 fd00::2=02:00:00:00:00:02 fd01::/64 via fd00::2 tx off',
    ],
  },
  {
    name: 'a bridge',
    in: `${ADD}\nip link add br0 type bridge\nip link set vx0 master br0 up\nip link set eth1 master br0\nip addr add 10.1.0.1/24 dev br0\nip link set br0 up`,
    want: ['vx0 77/4789 10.1.0.1/24 in br0 [eth1]'],
  },
  {
    name: 'changed afterwards, and renamed',
    in: `${ADD} remote 10.0.0.2\nip link set vx0 type vxlan remote 10.0.0.3 nolearning\nip link set vx0 name vx9 up`,
    want: ['vx9 77/4789 remote 10.0.0.3'],
  },
  {
    name: 'a batch',
    in: `ip -batch - <<EOF\nlink add vx0 type vxlan id 77\nlink set vx0 up\nEOF\n`,
    want: ['vx0 77/8472'],
  },
  {
    name: 'what is quoted within what is quoted',
    in: `A="$(sed -n "s/'//p" "$1" | tr ')' "\\"")"\nB="\`cd \\\`dirname $0\\\`; pwd\`"\ncat <<< "$A" > >(tee x)\nip link add vx0 type vxlan id 77\nip link set vx0 up`,
    want: ['vx0 77/8472'],
  },
  {
    name: 'by other names',
    in: `sudo /sbin/ip link add vx0 type vxlan id 77\nexec env A=b ip link set vx0 up\nexit 0\n`,
    want: ['vx0 77/8472'],
  },
];

for (const { name, in: text, want } of understood) {
  test(`script: ${name}`, () => {
    const { links, problems } = read(text);
    assert.deepEqual(links.map(short), want);
    assert.deepEqual(problems, []);
  });
}

/** line:column, severity and message. */
function told({ problems }: Imported): readonly string[] {
  return problems.map(({ place, severity, message }) => `${place?.line}:${place?.column} ${severity}: ${message}`);
}

const reported: readonly { name: string; in: string; want: readonly RegExp[] }[] = [
  {
    name: 'what only a shell can tell',
    in: 'ip link add vx0 type vxlan id $(cat vni)',
    want: [/^1:31 warning: left out: this is known only/],
  },
  { name: 'an unknown variable', in: 'ip link add vx0 type vxlan id "$VNI"', want: [/^1:31 warning: .*known only/] },
  { name: 'a loop without end', in: `while true; do\n${ADD}\ndone`, want: [/^2:1 warning: .*a loop of which/] },
  {
    name: 'a loop over what is not known',
    in: `for i in $(seq 3); do ${ADD}; done`,
    want: [/^1:23 warning: .*a loop/],
  },
  { name: 'a function that nothing calls', in: `vxlan() {\n ${ADD}\n}`, want: [/^2:2 warning: .*the function vxlan/] },
  { name: 'another branch', in: `if a; then b; else ${ADD}; fi`, want: [/^1:20 warning: .*another branch/] },
  { name: 'a branch of case', in: `case $x in a) ${ADD} ;; b) ;; esac`, want: [/^1:15 warning: .*may not be taken/] },
  {
    name: 'only where the one before fails',
    in: `${ADD} || ip link set vx0 mtu 1300`,
    want: [/^1:50 warning: .*fails/],
  },
  { name: 'behind exit', in: `exit 0\n${ADD}`, want: [/^2:1 warning: .*exit/] },
  { name: 'another namespace', in: 'ip -n blue link add vx0 type vxlan id 77', want: [/^1:7 warning: .*namespace/] },
  { name: 'another program', in: `${ADD}\ntc qdisc add dev vx0 root netem`, want: [/^2:1 warning: .*`tc`/] },
  { name: 'a script in a script', in: `cat > x <<EOF\n${ADD}\nEOF`, want: [/^1:1 warning: .*import it by itself/] },
  {
    name: 'options that the file cannot say',
    in: `${ADD}\nip link set vx0 arp off`,
    want: [/^2:17 warning: .*cannot say/],
  },
  { name: 'a route of a kind', in: `${ADD}\nip route add 10.1.0.0/16 dev vx0`, want: [/^2:1 warning: .*no gateway/] },
  { name: 'no end', in: `f() { f; f; }\nf\n${ADD}`, want: [/^1:1 warning: the rest is left out/] },
  { name: 'no VNI', in: 'ip link add vx0 type vxlan', want: [/^1:1 error: a VXLAN link needs its VNI/] },
  {
    name: 'an unknown option',
    in: 'ip link add vx0 type vxlan id 77 vlan 3',
    want: [/^1:34 error: “vlan” is no option/],
  },
  {
    name: 'a second row for the flood',
    in: `${ADD} remote 10.0.0.2\nbridge fdb add 00:00:00:00:00:00 dev vx0 dst 10.0.0.3`,
    want: [/^2:1 error: .*all-zeros/],
  },
  { name: 'made twice', in: `${ADD}\n${ADD}`, want: [/^2:1 error: vx0 is made already/] },
  { name: 'a VNI twice', in: `${ADD}\n${ADD.replace('vx0', 'vx1')}`, want: [/^2:\d+ error: vx1 has the VNI 77/] },
  { name: 'a name that is too long', in: ADD.replace('vx0', 'vxlan-of-16-char'), want: [/^1:13 error: .*15 bytes/] },
  { name: 'a quotation mark', in: `echo "a\n${ADD}`, want: [/^1:6 error: a quotation mark is not closed/] },
  { name: 'half of an if', in: `if true; then\n${ADD}\n`, want: [/^1:1 error: `if` needs `fi`/] },
  { name: 'no text for <<', in: 'cat <<EOF\nx\n', want: [/^2:1 error: the text that << begins does not end/] },
];

for (const { name, in: text, want } of reported) {
  test(`script: ${name}, reported`, () => {
    const found = told(read(text));
    assert.equal(found.length, want.length, found.join('\n'));
    want.forEach((pattern, i) => {
      assert.match(found[i] ?? '', pattern);
    });
  });
}

test('script: what has nothing to do with overlays is not told of', () => {
  const text = `set -e\nmodprobe vxlan\niptables -A INPUT -j ACCEPT\nip rule add from all\nip addr add $(x) dev eth0\nip link set "$IF" up\nip a a 10.1/16 dev eth0\n${ADD}\n${UP}`;
  const { problems } = read(text);
  assert.deepEqual(told({ problems } as Imported), []);
});

test('script: a script that is called by its path is read too', () => {
  const files = [
    { path: '/opt/vx', text: `#!/bin/sh\nip link add $1 type vxlan id $2\n/opt/vx again\n` },
    { path: '/opt/elf', text: '\u007fELF' },
  ];
  const { links, problems } = importer.read(
    [{ path: 'a.sh', text: '/opt/elf\n/opt/vx vx0 7 && ip link set vx0 up\n' }],
    (path) => files.filter((file) => file.path === path),
  );
  assert.deepEqual(links.map(short), ['vx0 7/8472']);
  assert.equal(links[0]?.place.file, '/opt/vx');
  assert.deepEqual(
    problems.map(({ message }) => message),
    ['left out: this is known only when the script runs'],
  );
});

test('script: whatever the text is, it is read or refused', () => {
  const word = fc.constantFrom(
    ...[
      'ip',
      'link',
      'add',
      'set',
      'vx0',
      'type',
      'vxlan',
      'id',
      '7',
      'dev',
      'eth0',
      'remote',
      '10.0.0.2',
      'bridge',
      'fdb',
      'append',
    ],
    ...[
      'if',
      'then',
      'else',
      'fi',
      'for',
      'x',
      'in',
      'do',
      'done',
      'case',
      'esac',
      'while',
      '{',
      '}',
      '(',
      ')',
      ';;',
      ';',
      '&&',
      '||',
      '|',
    ],
    ...[
      '$x',
      `\${x:-7}`,
      '$(y)',
      '`z`',
      '"$@"',
      '"',
      "'",
      '\\',
      '#',
      '<<EOF',
      'EOF',
      '>',
      '2>&1',
      'f()',
      'A=b',
      '\n',
      '\t',
      '$((',
      '<(',
    ],
  );
  const text = fc.array(fc.tuple(word, fc.constantFrom(' ', ' ', '\n', '')), { maxLength: 40 });
  fc.assert(
    fc.property(text, (words) => {
      const { links, problems } = read(words.flat().join(''));
      assert.ok(links.length >= 0 && problems.every(({ place }) => (place?.line ?? 0) > 0));
    }),
    { numRuns: 2000 },
  );
});
