/** Two hosts' scripts that fit, and those that do not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFabric } from '../fabric/parse.ts';
import { parseIp } from '../model/address.ts';
import { render } from '../text/render.ts';
import type { HostImport } from './draft.ts';
import { type Joined, join } from './join.ts';
import { importer } from './script.ts';
import { writeFabric } from './write.ts';

function host(name: string, text: string, underlay?: string): HostImport {
  const imported = importer.read([{ path: `${name}.sh`, text }], () => []);
  return { name, imported, underlay: underlay === undefined ? null : parseIp(underlay) };
}

interface Script {
  readonly name?: string;
  readonly options?: string;
  readonly address?: string;
  readonly more?: string;
}

const script = ({ name = 'vxlan0', options = '', address = '', more = '' }: Script): string =>
  `ip link add ${name} type vxlan dstport 4789 dev eth0 ${options}\nip link set up ${name} address 02:00:00:00:00:0X\nip address add ${address} dev ${name}\n${more}`;

/** The article's two hosts; each may say something else. */
function pair(alpha: Script = {}, beta: Script = {}): Joined {
  const one = { options: 'id 77 remote 10.10.0.4', address: '169.254.0.1/24', ...alpha };
  const other = { options: 'id 77 remote 10.0.0.4', address: '169.254.0.2/24', ...beta };
  const texts = [script(one).replace('0X', '01'), script(other).replace('0X', '02')];
  return join(null, 'A test.', [host('alpha', texts[0] ?? ''), host('beta', texts[1] ?? '')]);
}

test('the article’s two scripts are one fabric', () => {
  const { file, problems } = pair();
  assert.deepEqual(problems, []);
  assert.equal(
    writeFabric(file),
    `# A test.
# These links are there already: \`everlan apply --adopt\` takes them over, in place.

fabric: imported

hosts:
  alpha: {underlay: 10.0.0.4, device: eth0}
  beta: {underlay: 10.10.0.4, device: eth0}

overlays:
  vxlan0: # alpha.sh:1, beta.sh:1
    vni: 77
    local: none
    mac:
      alpha: "02:00:00:00:00:01"
      beta: "02:00:00:00:00:02"
    hosts:
      alpha: 169.254.0.1/24
      beta: 169.254.0.2/24
`,
  );
});

const told: readonly { name: string; in: Joined; want: readonly string[] }[] = [
  {
    name: 'another VNI',
    in: pair({}, { options: 'id 78 remote 10.0.0.4' }),
    want: [
      'alpha.sh:1:53: error: vxlan0 of alpha and vxlan0 of beta point at each other with VNI 77 and 78',
      'beta.sh:1:53: VNI 78 on beta',
    ],
  },
  {
    name: 'another port',
    in: join(null, '', [
      host('alpha', 'ip link add vxlan0 up type vxlan id 77 remote 10.10.0.4 dstport 4789 dev eth0'),
      host('beta', 'ip link add vxlan0 up type vxlan id 77 remote 10.0.0.4 dev eth0'),
    ]),
    want: [
      'alpha.sh:1:57: error: vxlan0 of alpha and vxlan0 of beta use different ports: port 4789 on alpha',
      'beta.sh:1:1: port 8472 on beta, since none is given',
    ],
  },
  {
    name: 'a peer that does not point back',
    in: pair(
      { options: 'id 77 remote 10.10.0.4 local 10.0.0.4' },
      { options: 'id 77 remote 10.0.0.5 local 10.10.0.4' },
    ),
    want: [
      'alpha.sh:1:59: error: vxlan0 of alpha points at beta (10.10.0.4), but that of beta does not point back at alpha (10.0.0.4)',
      'beta.sh:1:59: and beta points at 10.0.0.5',
    ],
  },
  {
    name: 'a peer without such a link',
    in: join(null, '', [
      host('alpha', 'ip link add vx0 up type vxlan id 77 remote 10.0.0.2 local 10.0.0.1 dev eth0'),
      host('beta', 'ip link add vx1 up type vxlan id 78 local 10.0.0.2 dev eth0 remote 10.0.0.9'),
    ]),
    want: ['alpha.sh:1:37: error: vx0 of alpha points at beta (10.0.0.2), which has no link with VNI 77 on port 8472'],
  },
  {
    name: 'hosts that do not send to each other',
    in: join(null, '', [
      host(
        'hub',
        'ip link add vx0 up type vxlan id 77 local 10.0.0.1 dev eth0\nbridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.2\nbridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.3',
      ),
      host('one', 'ip link add vx0 up type vxlan id 77 local 10.0.0.2 dev eth0 remote 10.0.0.1'),
      host('two', 'ip link add vx0 up type vxlan id 77 local 10.0.0.3 dev eth0 remote 10.0.0.1'),
    ]),
    want: [
      'two.sh:1:61: error: vx0 of two and one do not send to each other, as members of one overlay do',
      'one.sh:1:61: and one points at 10.0.0.1',
    ],
  },
  {
    name: 'one address twice',
    in: pair({}, { address: '169.254.0.1/16' }),
    want: [
      'alpha.sh:3:16: error: alpha and beta both have 169.254.0.1 on vxlan0',
      'beta.sh:3:16: on beta',
      'alpha.sh:3:16: warning: vxlan0 of alpha and beta have no network in common: 169.254.0.1/24 and 169.254.0.1/16',
      'beta.sh:3:16: on beta',
    ],
  },
  {
    name: 'another network',
    in: pair({}, { address: '169.254.1.2/24' }),
    want: [
      'alpha.sh:3:16: warning: vxlan0 of alpha and beta have no network in common: 169.254.0.1/24 and 169.254.1.2/24',
      'beta.sh:3:16: on beta',
    ],
  },
  {
    name: 'another name',
    in: pair({}, { name: 'vx9' }),
    want: [
      'alpha.sh:1:1: error: vxlan0 of alpha and vx9 of beta are one overlay, and in a fabric it has one name',
      'beta.sh:1:1: vx9 on beta',
    ],
  },
  {
    name: 'another TTL',
    in: pair({ options: 'id 77 remote 10.10.0.4 ttl 5' }, { options: 'id 77 ttl 6 remote 10.0.0.4' }),
    want: ['alpha.sh:1:76: error: ttl of vxlan0 is 5 on alpha and 6 on beta', 'beta.sh:1:59: ttl 6 on beta'],
  },
  {
    name: 'a TTL on one side',
    in: pair({ options: 'id 77 remote 10.10.0.4 ttl 5' }),
    want: [
      'alpha.sh:1:76: warning: ttl 5 of vxlan0 is said on alpha and not on beta: the file says it for both',
      'beta.sh:1:1: on beta',
    ],
  },
  {
    name: 'one MAC',
    in: pair({}, { more: 'ip link set vxlan0 address 02:00:00:00:00:01' }),
    want: ['alpha.sh:2:23: error: vxlan0 has the MAC 02:00:00:00:00:01 on alpha and on beta', 'beta.sh:4:20: on beta'],
  },
  {
    name: 'a bridge on one side',
    in: pair({}, { more: 'ip link set vxlan0 master br0' }),
    want: [
      'alpha.sh:1:1: error: vxlan0 has no bridge on alpha and br0 with ports [] on beta; in a fabric an overlay has one for all members',
      'beta.sh:4:20: on beta',
      'beta.sh:3:16: warning: the addresses of vxlan0 itself are left out: in a fabric they are on its bridge br0',
    ].toSorted(
      (a, b) => Number(a.includes('error') || a.includes(': on')) - Number(b.includes('error') || b.includes(': on')),
    ),
  },
  {
    name: 'another gateway',
    in: pair(
      { more: 'ip route add 10.9.0.0/16 via 169.254.0.9' },
      { more: 'ip route add 10.9.0.0/16 via 169.254.0.8' },
    ),
    want: [
      'alpha.sh:4:1: error: the route to 10.9.0.0/16 goes via 169.254.0.9 on alpha and via 169.254.0.8 on beta',
      'beta.sh:4:1: on beta',
    ],
  },
  {
    name: 'nothing that tells the underlay',
    in: join(null, '', [host('alpha', 'ip link add vx0 up type vxlan id 77 remote 10.0.0.2 dev eth0')]),
    want: ['alpha.sh:1:1: error: nothing tells under which address the others reach alpha'],
  },
  {
    name: 'two underlays of one host',
    in: join(null, '', [
      host(
        'alpha',
        'ip link add vx0 up type vxlan id 77 local 10.0.0.1\nip link add vx1 up type vxlan id 78 local 10.0.0.9',
      ),
    ]),
    want: [
      'alpha.sh:2:37: warning: vx1 is left out: its packets come from 10.0.0.9, and the underlay of alpha is 10.0.0.1',
    ],
  },
  {
    name: 'two devices of one host',
    in: join(null, '', [
      host(
        'alpha',
        'ip link add vx0 up type vxlan id 77 dev eth0\nip link add vx1 up type vxlan id 78 dev eth1',
        '10.0.0.1',
      ),
    ]),
    want: ['alpha.sh:2:37: warning: vx1 is left out: it goes out by eth1, and the other links of alpha by eth0'],
  },
  {
    name: 'an external link',
    in: join(null, '', [
      host('alpha', 'ip link add vx0 up type vxlan external\nip link add vx1 up type vxlan id 7 local 10.0.0.1'),
    ]),
    want: [
      'alpha.sh:1:31: warning: vx0 is left out: its VNI and peers come with each packet (`external`), and a fabric has no such links',
    ],
  },
  {
    name: 'nothing at all',
    in: join(null, '', [host('alpha', 'echo hello')]),
    want: ['error: there is no VXLAN link in what was read'],
  },
];

for (const { name, in: joined, want } of told) {
  test(`told: ${name}`, () => {
    const lines = joined.problems.flatMap((problem) => render(problem).split('\n'));
    assert.deepEqual(
      lines.filter((line) => /^(?:\S+:\d+:\d+: |error: )/.test(line)),
      want,
    );
  });
}

test('an import without errors is a file without errors', () => {
  for (const { name, in: joined } of told) {
    if (joined.problems.some(({ severity }) => severity === 'error')) continue;
    const text = writeFabric(joined.file);
    const parsed = parseFabric(Buffer.from(text), name);
    assert.ok(parsed.ok, text);
  }
});

const alone: readonly { name: string; in: string; underlay?: string; want: RegExp }[] = [
  {
    name: 'a peer becomes a host named after its address',
    in: 'ip link add vx0 up type vxlan id 7 local 10.0.0.1 remote 10.10.0.4',
    want: /hosts:\n {2}alpha: \{underlay: 10\.0\.0\.1, device: none\}\n {2}peer-10-10-0-4: 10\.10\.0\.4\n/,
  },
  {
    name: 'of IPv6 too',
    in: 'ip link add vx0 up type vxlan id 7 local fd00::1 remote fd00::',
    want: /\n {2}peer-fd00--0: "fd00::"\n/,
  },
  {
    name: 'no port is 8472',
    in: 'ip link add vx0 up type vxlan id 7 local 10.0.0.1',
    want: /\n {4}port: 8472\n/,
  },
  {
    name: 'the device’s address is the underlay',
    in: 'ip addr add 192.0.2.9/24 dev eth1\nip addr add 10.0.0.1/24 dev eth0\nip link add vx0 up type vxlan id 7 dev eth0 remote 10.0.0.2',
    want: /\n {2}alpha: 10\.0\.0\.1\n/,
  },
  {
    name: 'many peers',
    in: 'ip link add vx0 up type vxlan id 7 local 10.0.0.1\nfor p in 2 3; do bridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.$p; done',
    want: /hosts:\n {6}alpha: null\n {6}peer-10-0-0-2: null\n {6}peer-10-0-0-3: null\n/,
  },
  {
    name: 'neighbours that know all members',
    in: `ip link add vx0 up address 02:00:00:00:00:01 type vxlan id 7 local 10.0.0.1 remote 10.0.0.2\nip addr add 10.7.0.1/24 dev vx0
bridge fdb add 02:00:00:00:00:02 dev vx0 dst 10.0.0.2\nip neigh add 10.7.0.2 lladdr 02:00:00:00:00:02 dev vx0`,
    want: /neighbours: static\n {4}hosts:\n {6}alpha: 10\.7\.0\.1\/24\n {6}peer-10-0-0-2: 10\.7\.0\.2\/24\n/,
  },
  {
    name: 'a name that YAML would read otherwise',
    in: 'ip link add yes up type vxlan id 7 local 10.0.0.1',
    want: /\n {2}"yes": #/,
  },
];

for (const { name, in: text, underlay, want } of alone) {
  test(`one host alone: ${name}`, () => {
    const { file } = join('test', '', [host('alpha', text, underlay)]);
    const written = writeFabric(file);
    assert.match(written, want);
    assert.ok(parseFabric(Buffer.from(written), 'test').ok, written);
  });
}

test('a host’s name is the first label of its hostname', () => {
  const { file } = join('test', '', [
    { ...host('x', 'ip link add vx0 up type vxlan id 7 local 10.0.0.1'), name: 'Node-7.Example.org' },
  ]);
  assert.match(
    writeFabric(file),
    /\n {2}node-7: \{underlay: 10\.0\.0\.1, device: none, hostname: Node-7\.Example\.org\}\n/,
  );
});

test('what comes from the source into comments ends no comment', () => {
  const { file } = join('test', 'a\nfabric: evil\u2028x\u001b[31m', [
    host('alpha', 'ip link add vx0 up type vxlan id 7 local 10.0.0.1'),
  ]);
  const written = writeFabric(file);
  assert.match(written, /^# a.fabric: evil.x.\[31m\n#[^\n]*\n\nfabric: test\n/);
});
