import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Prefix } from '../model/address.ts';
import { OPTION_DEFAULTS, OPTION_NAMES } from '../model/options.ts';
import { EverlanError } from '../model/problem.ts';
import { OVERLAY_KEY_NAMES } from './keys.ts';
import { parseFabric, parseFabricOrThrow } from './parse.ts';
import { resolve } from './resolve.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function parsed(text: string) {
  const result = parseFabric(bytes(text), 'f.yaml');
  assert.ok(result.ok, result.ok ? '' : `${result.problems.map((p) => p.message).join('\n')}\n${text}`);
  return result.fabric;
}

test('a file as the design shows it', () => {
  const fabric = parsed(`fabric: article
hosts:
  alpha: 10.0.0.4
  beta: {underlay: 10.10.0.4, device: eth0}
  gamma: {underlay: 10.10.0.5, device: none, hostname: g.example.com}
overlays:
  vxlan0:
    vni: 77
    hosts:
      alpha: 169.254.0.1/24
      beta: [169.254.0.2/24, "FD00:77:0::2/64"]
      gamma:
`);
  assert.equal(fabric.name, 'article');
  assert.deepEqual(
    [...fabric.hosts.values()],
    [
      { name: 'alpha', underlay: '10.0.0.4', device: undefined, hostname: 'alpha' },
      { name: 'beta', underlay: '10.10.0.4', device: 'eth0', hostname: 'beta' },
      { name: 'gamma', underlay: '10.10.0.5', device: null, hostname: 'g.example.com' },
    ],
  );
  const members = new Map([
    ['alpha', ['169.254.0.1/24']],
    ['beta', ['169.254.0.2/24', 'fd00:77::2/64']],
    ['gamma', []],
  ]);
  assert.deepEqual([...fabric.overlays.values()], [{ name: 'vxlan0', vni: 77, members, options: OPTION_DEFAULTS }]);
});

test('every option is read', () => {
  const given: Record<string, [string, unknown]> = {
    port: ['8472', 8472],
    ageing: ['30', 30],
    limit: ['9', 9],
    ttl: ['inherit', 'inherit'],
    'type-of-service': ['1', 1],
    'flow-label': ['0xfffff', 1048575],
    'do-not-fragment': ['inherit', 'inherit'],
    'mac-learning': ['off', false],
    'arp-proxy': ['YES', true],
    'short-circuit': ['true', true],
    'port-range': ['[1, 65535]', [1, 65535]],
    notifications: ['[l3-miss, l2-miss]', ['l3-miss', 'l2-miss']],
    checksums: ['[]', []],
    extensions: ['[group-policy]', ['group-policy']],
    local: ['none', 'none'],
    mtu: ['1280', 1280],
    mac: ['{a: "02:00:00:00:00:0A"}', new Map([['a', '02:00:00:00:00:0a']])],
    flood: ['"ff05::77"', 'ff05::77'],
    remotes: ['["FD99::9"]', ['fd99::9']],
    macs: [
      '{"02:AA:00:00:00:01": b, "02:aa:00:00:00:02": "fd99::9"}',
      new Map([
        ['02:aa:00:00:00:01', 'b'],
        ['02:aa:00:00:00:02', 'fd99::9'],
      ]),
    ],
    bridge: ['br0', 'br0'],
    ports: ['[eth1, eth2]', ['eth1', 'eth2']],
    routes: ['[{to: 192.168.0.0/16, via: b}]', [{ to: '192.168.0.0/16', via: 'b' }]],
    neighbours: ['learned', 'learned'],
    'tx-checksum-offload': ['n', false],
  };
  assert.deepEqual(Object.keys(given).toSorted(), OPTION_NAMES.toSorted());
  const lines = Object.entries(given).map(([key, [text]]) => `    ${key}: ${text}\n`);
  const fabric = parsed(
    `fabric: t\nhosts: {a: fd99::1, b: fd99::2}\noverlays:\n  v:\n    vni: 7\n    hosts: {a: 10.7.0.1/24, b: 10.7.0.2/24}\n${lines.join('')}`,
  );
  const options: Record<string, unknown> = { ...fabric.overlays.get('v')?.options };
  for (const [key, [, want]] of Object.entries(given)) assert.deepEqual(options[key], want, key);
});

test('parseFabricOrThrow throws everything, exit code 2', () => {
  assert.throws(
    () => parseFabricOrThrow(bytes('fabric: T\nhosts: {}\n'), 'f.yaml'),
    (error) => error instanceof EverlanError && error.exitCode === 2 && error.problems.length === 3,
  );
});

/** Fabrics of every shape that are right by the way they are made. */
const fabrics = fc
  .record({
    name: fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/),
    hosts: fc.uniqueArray(fc.stringMatching(/^[a-z](?:[a-z0-9-]{0,8}[a-z0-9])?$/).filter(isNoWord), {
      minLength: 1,
      maxLength: 6,
    }),
    six: fc.boolean(),
    overlays: fc.array(
      fc.record({
        members: fc.array(fc.nat(5), { minLength: 1, maxLength: 6 }),
        addressed: fc.constantFrom('none', 'four', 'six', 'both'),
        port: fc.option(fc.integer({ min: 1, max: 65535 })),
        ttl: fc.option(fc.oneof(fc.constant('inherit'), fc.integer({ min: 1, max: 255 }))),
        flood: fc.constantFrom('', 'peers', 'none', 'group'),
        neighbours: fc.constantFrom('', 'learned', 'static'),
        bridged: fc.boolean(),
        learning: fc.constantFrom('', 'yes', 'no', 'true', '"off"'),
        mtu: fc.constantFrom('', 'auto', '1280', '1400'),
        routed: fc.boolean(),
      }),
      { maxLength: 5 },
    ),
  })
  .map(fabricText);

const six = (address: string): number => (address.includes(':') ? 64 : 24);

function isNoWord(name: string): boolean {
  return !/^(?:true|false|null|yes|no|on|off|y|n)$/.test(name);
}

function fabricText({
  name,
  hosts,
  six,
  overlays,
}: {
  name: string;
  hosts: string[];
  six: boolean;
  overlays: OverlayShape[];
}): string {
  const underlay = (i: number) => (six ? `fd99::${i + 1}` : `10.255.0.${i + 1}`);
  const lines = [`fabric: "${name}"`, 'hosts:', ...hosts.map((host, i) => `  ${host}: ${underlay(i)}`)];
  lines.push(overlays.length === 0 ? 'overlays: {}' : 'overlays:');
  lines.push(...overlays.flatMap((overlay, o) => overlayLines(overlay, o, hosts, six)));
  return `${lines.join('\n')}\n`;
}

interface OverlayShape {
  members: number[];
  addressed: string;
  port: number | null;
  ttl: string | number | null;
  flood: string;
  neighbours: string;
  bridged: boolean;
  learning: string;
  mtu: string;
  routed: boolean;
}

function overlayLines(shape: OverlayShape, o: number, hosts: string[], six: boolean): string[] {
  const members = [...new Set(shape.members.map((m) => m % hosts.length))];
  const addresses = (m: number): string => {
    const all = {
      none: [],
      four: [`10.${o}.0.${m + 1}/24`],
      six: [`fd00:${o}::${m + 1}/64`],
      both: [`10.${o}.0.${m + 1}/24`, `fd00:${o}::${m + 1}/64`],
    };
    return `[${(all[shape.addressed as keyof typeof all] ?? []).map((a) => `"${a}"`).join(', ')}]`;
  };
  const option = (key: string, value: string | number | null): string[] =>
    value === '' || value === null ? [] : [`    ${key}: ${value}`];
  const [first = 0] = members;
  const routed = shape.routed && (shape.addressed === 'four' || shape.addressed === 'both');
  return [
    `  vx${o}:`,
    `    vni: ${o + 1}`,
    '    hosts:',
    ...members.map((m) => `      ${hosts[m]}: ${addresses(m)}`),
    ...option('port', shape.port),
    ...option('ttl', shape.ttl),
    ...option('flood', shape.flood === 'group' ? (six ? '"ff05::77"' : '239.0.0.1') : shape.flood),
    ...option('neighbours', shape.neighbours),
    ...option('bridge', shape.bridged ? `br${o}` : ''),
    ...option('mac-learning', shape.learning),
    ...option('mtu', shape.mtu),
    ...option('routes', routed ? `[{to: 192.168.${o}.0/24, via: ${hosts[first]}}]` : ''),
  ];
}

test('right fabrics are accepted, and every host of them resolves', () => {
  fc.assert(
    fc.property(fabrics, (text) => {
      const fabric = parsed(text);
      for (const host of fabric.hosts.values()) {
        const addresses = [`${host.underlay}/${six(host.underlay)}` as Prefix];
        const eth0 = { name: 'eth0', index: 2, kind: '', up: true, mtu: 1500, addresses };
        const facts = { hostname: '', links: new Map([['eth0', eth0]]) };
        const desired = resolve(fabric, host.name, facts);
        assert.deepEqual(resolve(fabric, host.name, facts), desired);
        const mine = [...fabric.overlays.values()].filter(({ members }) => members.has(host.name));
        assert.equal(desired.overlays.length, mine.length);
      }
    }),
    { numRuns: 300 },
  );
});

test('one changed character never makes it throw, and what is refused has its reasons', () => {
  const edit = fc.record({
    at: fc.nat(2000),
    remove: fc.nat(3),
    put: fc.constantFrom(
      '',
      ' ',
      '\n',
      ':',
      '{',
      '[',
      '"',
      '0',
      '-',
      '&a ',
      '*a',
      '#',
      'x',
      '\t',
      '!',
      '9999999999',
      '~',
    ),
  });
  fc.assert(
    fc.property(fabrics, fc.array(edit, { minLength: 1, maxLength: 3 }), (text, edits) => {
      let changed = text;
      for (const { at, remove, put } of edits) {
        const i = at % (changed.length + 1);
        changed = changed.slice(0, i) + put + changed.slice(i + remove);
      }
      const result = parseFabric(bytes(changed), 'f.yaml');
      if (!result.ok) assert.ok(result.problems.some(({ severity }) => severity === 'error'));
      for (const { place, message } of result.ok ? result.warnings : result.problems) {
        assert.ok(message.length > 0 && !message.includes('undefined'), message);
        if (place !== undefined) assert.ok(place.column >= 1 && place.column <= [...place.text].length + 1);
      }
    }),
    { numRuns: 1000 },
  );
});

test('values of any shape under any key never make it throw', () => {
  const value = fc.oneof(
    { maxDepth: 2 },
    fc.jsonValue({ maxDepth: 2 }).map((v) => JSON.stringify(v)),
    fc.constantFrom(
      '',
      '~',
      '.nan',
      '1e99',
      '0x1f',
      'a',
      'auto',
      'none',
      '10.0.0.1',
      '10.0.0.1/8',
      '[a]',
      '{a: b}',
      '[{to: a, via: b}]',
      '{a: 02:00:00:00:00:01}',
      '{02:00:00:00:00:01: a}',
      '!!str 5',
    ),
  );
  const entries = fc.dictionary(fc.constantFrom(...OVERLAY_KEY_NAMES, 'zzz', '<<'), value, { maxKeys: 8 });
  fc.assert(
    fc.property(entries, value, (map, hosts) => {
      const lines = Object.entries(map).map(([key, v]) => `    ${key}: ${v}\n`);
      for (const text of [
        `fabric: t\nhosts: {a: 10.0.0.1}\noverlays:\n  v:\n${lines.join('') || '    {}\n'}`,
        `fabric: ${hosts}\nhosts: ${hosts}\noverlays: {v: ${hosts || '{}'}}\n`,
        `fabric: t\nhosts: {a: ${hosts}}\noverlays: ${hosts}\n`,
      ]) {
        const result = parseFabric(bytes(text), 'f.yaml');
        if (!result.ok) assert.ok(result.problems.length > 0);
      }
    }),
    { numRuns: 1000 },
  );
});
