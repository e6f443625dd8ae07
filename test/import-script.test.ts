/** What the importer reads from `ip link add … type vxlan …` is the link that the real `ip` makes of the same words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseFabricOrThrow } from '../src/fabric/parse.ts';
import { resolve } from '../src/fabric/resolve.ts';
import { join } from '../src/import/join.ts';
import { importer } from '../src/import/script.ts';
import { writeFabric } from '../src/import/write.ts';
import { parseIp } from '../src/model/address.ts';
import type { LinkState } from '../src/model/state.ts';
import { needsRoot, testHost } from './support/host.ts';

/** The file for one host whose script this is. */
function fabricOf(script: string, underlay: string): string {
  const imported = importer.read([{ path: 'a.sh', text: script }], () => []);
  const { file, problems } = join('test', 'test', [{ name: 'alpha', imported, underlay: parseIp(underlay) }]);
  assert.deepEqual(problems, [], script);
  return writeFabric(file);
}

/** One of the words, and of each word its beginning where `ip` takes that. */
const word = (...names: string[]): fc.Arbitrary<string> => fc.constantFrom(...names);
const valued = (names: fc.Arbitrary<string>, value: fc.Arbitrary<unknown>): fc.Arbitrary<string> =>
  fc.tuple(names, value).map((pair) => pair.join(' '));
const flag = (name: string): fc.Arbitrary<string> => fc.constantFrom(name, `no${name}`);
/** In any base that strtoul reads. */
const number = (min: number, max: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.integer({ min, max }), fc.constantFrom(10, 10, 16, 8))
    .map(([value, base]) => `${base === 16 ? '0x' : base === 8 && value > 0 ? '0' : ''}${value.toString(base)}`);

const OPTIONS = {
  4: [
    valued(word('remote', 'rem', 'r'), word('10.0.0.2', '192.0.2.9')),
    valued(word('local', 'lo', 'l'), fc.constant('10.0.0.1')),
    valued(word('df'), word('set', 'unset', 'inherit')),
  ],
  6: [
    valued(word('remote', 'remot'), word('fd00::2', 'FD00:0::9')),
    valued(word('local', 'loc'), fc.constant('fd00::1')),
    valued(word('flowlabel', 'flow', 'label'), number(0, 0xfffff)),
  ],
  both: [
    valued(word('dstport', 'dst', 'dstp'), number(1, 65535)),
    valued(word('ttl', 'tt', 'hoplimit', 'hop'), fc.oneof(number(0, 255), word('inherit', 'auto'))),
    valued(word('tos', 'to', 'dsfield', 'ds'), word('inherit', '10', '0x1c', 'b8', '0', 'AF41', 'CS3', 'EF')),
    valued(word('ageing', 'age', 'a'), fc.oneof(number(0, 100000), word('none'))),
    valued(word('maxaddress', 'max', 'm'), fc.oneof(number(0, 5000), word('unlimited'))),
    valued(word('srcport', 'src', 'port', 'p'), word('1000 2000', '32768 0xffff', '0 0', '7 7')),
    flag('learning'),
    flag('proxy'),
    flag('rsc'),
    flag('l2miss'),
    flag('l3miss'),
    flag('udpcsum'),
    flag('udp6zerocsumtx'),
    flag('udp6zerocsumrx'),
    flag('remcsumtx'),
    flag('remcsumrx'),
    word('gbp', 'gb'),
  ],
};

/** Of each option one or none, in any order. */
const line = fc.constantFrom(4 as const, 6 as const).chain((family) =>
  fc
    .tuple(
      valued(word('id', 'vni', 'i', 'vn'), number(1, 0xffffff)),
      valued(word('dev', 'de'), fc.constant('eth0')),
      ...[...OPTIONS[family], ...OPTIONS.both].map((option) => fc.option(option, { freq: 2, nil: null })),
    )
    .chain((options) => {
      const said = options.filter((option) => option !== null);
      return fc.shuffledSubarray(said, { minLength: said.length });
    })
    .map((options) => ({ underlay: family === 4 ? '10.0.0.1' : 'fd00::1', options: options.join(' ') })),
);

test('random option lists: the real ip, and the importer', { skip: needsRoot }, (t) => {
  const host = testHost(t);
  const made = (): LinkState => host.link('vx0');
  fc.assert(
    fc.property(line, word('link add', 'l a', 'lin ad name', 'link add dev'), ({ options, underlay }, verb) => {
      // Without an address of IPv6 the link speaks IPv4.
      fc.pre(underlay === '10.0.0.1' || /fd00/i.test(options));
      const command = `${verb} vx0 type vxlan ${options}`;
      host.ip(command);
      const found = made();
      const text = fabricOf(`ip ${command}\nip link set vx0 up\n`, underlay);
      const { fabric } = parseFabricOrThrow(Buffer.from(text), 'test.yaml');
      const desired = resolve(fabric, 'alpha', host.kernel.look().facts);
      host.ip('link del vx0');
      const wanted = desired.state.links.get('vx0');
      assert.deepEqual(wanted?.vxlan, found.vxlan, `${command}\n${text}`);
      assert.equal(wanted?.mtu, found.mtu, command);
    }),
    { numRuns: 200 },
  );
});

const refused: readonly string[] = [
  'type vxlan dstport 4789',
  'type vxlan id 16777216',
  'type vxlan id 77 id 78',
  'type vxlan id 77 external',
  'type vxlan id 77 remote 239.1.1.1',
  'type vxlan id 77 group 10.0.0.2 dev eth0',
  'type vxlan id 77 group 239.1.1.1',
  'type vxlan id 77 local 239.1.1.1',
  'type vxlan id 77 dstport 65536',
  'type vxlan id 77 ttl 256',
  'type vxlan id 77 tos 100',
  'type vxlan id 77 df yes',
  'type vxlan id 77 learning nolearning',
  'type vxlan id 77 srcport 2000 1000',
  'type vxlan id 77 mtu 1400',
  'type vxlan id 77 frobnicate',
  'type vxlan id 77 remote',
  'eth1 type vxlan id 77',
  'mtu x type vxlan id 77',
  'address 02:00 type vxlan id 77',
];

test('what the real ip or the kernel refuses is an error', { skip: needsRoot }, (t) => {
  const host = testHost(t);
  for (const words of refused) {
    const command = `link add vx0 ${words}`;
    assert.throws(() => host.ip(command), command);
    const { problems } = importer.read([{ path: 'a.sh', text: `ip ${command}\n` }], () => []);
    const [first] = problems.filter(({ severity }) => severity === 'error');
    assert.equal(first?.place?.line, 1, `${command}: ${JSON.stringify(problems)}`);
  }
});
