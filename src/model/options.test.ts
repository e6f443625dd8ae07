import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPTION_DEFAULTS, OPTION_NAMES, OPTIONS, type Option, type OptionRow, type ValueType } from './options.ts';
import { VXLAN_ATTRIBUTE_NAMES, VXLAN_ATTRIBUTES, VXLAN_DEFAULTS, type VxlanAttribute } from './vxlan.ts';

const ROWS: ReadonlyMap<Option, OptionRow> = new Map(OPTION_NAMES.map((name) => [name, OPTIONS[name]]));

/** The design's table of options, in netplan's words and ours. */
const NAMES = [
  ...[
    'port',
    'ageing',
    'limit',
    'ttl',
    'type-of-service',
    'flow-label',
    'do-not-fragment',
    'mac-learning',
    'arp-proxy',
  ],
  ...['short-circuit', 'port-range', 'notifications', 'checksums', 'extensions'],
  ...[
    'local',
    'mtu',
    'mac',
    'flood',
    'remotes',
    'macs',
    'bridge',
    'ports',
    'routes',
    'neighbours',
    'tx-checksum-offload',
  ],
];

test('every option is there, and no other', () => assert.deepEqual(OPTION_NAMES, NAMES));

test('no alias hides an option or another alias', () => {
  const spellings = [...ROWS].flatMap(([name, { aliases = [] }]) => [name, ...aliases]);
  assert.equal(new Set(spellings).size, spellings.length);
  assert.deepEqual(
    [...ROWS].flatMap(([, { aliases = [] }]) => aliases),
    ['aging'],
  );
});

/** Whether the file could say this value; a check of the table's own defaults, not of files. */
function says(type: ValueType, value: unknown): boolean {
  switch (type.kind) {
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value) && value >= type.min && value <= type.max;
    case 'boolean':
      return typeof value === 'boolean';
    case 'word':
      return typeof value === 'string' && type.words.includes(value);
    case 'words':
      return Array.isArray(value) && value.every((each) => type.words.includes(each));
    case 'range':
      return Array.isArray(value) && value.length === 2;
    case 'link-name':
    case 'multicast':
      return typeof value === 'string';
    case 'link-names':
    case 'unicast-list':
    case 'routes':
      return Array.isArray(value);
    case 'host-macs':
    case 'static-macs':
      return value instanceof Map;
    case 'any-of':
      return type.types.some((each) => says(each, value));
    default:
      return type satisfies never;
  }
}

for (const [name, row] of ROWS) {
  test(`option ${name}: the default could be said, or stands for nothing said`, () => {
    assert.ok(row.default === null || says(row.type, row.default));
    assert.deepEqual(OPTION_DEFAULTS[name], row.default);
  });

  test(`option ${name}: its attributes exist, each once`, () => {
    for (const attribute of row.attributes) assert.ok(Object.hasOwn(VXLAN_ATTRIBUTES, attribute), attribute);
    assert.equal(new Set(row.attributes).size, row.attributes.length);
  });

  test(`option ${name}: its help is one line`, () => assert.match(row.help, /^[^\n.]{10,90}$/));
}

/** Attributes that no option of an overlay reaches, and where they come from instead. */
const NOT_BY_OPTION = new Map<VxlanAttribute, string>([
  ['vni', 'the overlay’s own key'],
  ['device', 'the host’s key'],
  ['remcsumNoPartial', 'netplan has no word for it'],
  ['gpe', 'the kernel takes it only on external links'],
  ['external', 'an overlay names its VNI'],
  ['vnifilter', 'the kernel takes it only on external links'],
  ['localbypass', 'netplan has no word for it'],
]);

test('each VXLAN attribute is reached by one option or says why not', () => {
  const reached = [...ROWS].flatMap(([, { attributes }]) => attributes);
  assert.equal(new Set(reached).size, reached.length, 'no attribute has two options');
  const expected = VXLAN_ATTRIBUTE_NAMES.filter((name) => !NOT_BY_OPTION.has(name));
  assert.deepEqual([...reached].sort(), [...expected].sort());
});

test('a link of which nothing was said', () => {
  assert.deepEqual(VXLAN_DEFAULTS, {
    vni: 0,
    port: 8472,
    remote: null,
    local: null,
    device: null,
    ttl: 0,
    ttlInherit: false,
    tos: 0,
    df: 0,
    label: 0,
    learning: true,
    ageing: 300,
    limit: 0,
    portLow: 0,
    portHigh: 0,
    proxy: false,
    rsc: false,
    l2miss: false,
    l3miss: false,
    udpCsum: true,
    udpZeroCsum6Tx: false,
    udpZeroCsum6Rx: false,
    remcsumTx: false,
    remcsumRx: false,
    remcsumNoPartial: false,
    gbp: false,
    gpe: false,
    external: false,
    vnifilter: false,
    localbypass: true,
  });
});

/** Ranges that are the wire’s, not ours: bits of the field, or a limit that the kernel or an RFC gives. */
const ranges: readonly { option: Option; min: number; max: number }[] = [
  { option: 'port', min: 1, max: 2 ** 16 - 1 },
  { option: 'port-range', min: 1, max: 2 ** 16 - 1 },
  { option: 'limit', min: 1, max: 2 ** 32 - 1 },
  { option: 'ttl', min: 1, max: 2 ** 8 - 1 },
  { option: 'type-of-service', min: 0, max: 2 ** 8 - 1 },
  { option: 'flow-label', min: 0, max: 2 ** 20 - 1 },
  { option: 'ageing', min: 1, max: Math.floor((2 ** 32 - 1) / 1000) },
  { option: 'mtu', min: 68, max: 2 ** 16 - 1 },
];

for (const { option, min, max } of ranges) {
  test(`option ${option}: from ${min} to ${max}`, () => {
    const find = (type: ValueType): readonly { min: number; max: number }[] => {
      if (type.kind === 'any-of') return type.types.flatMap(find);
      return type.kind === 'integer' || type.kind === 'range' ? [{ min: type.min, max: type.max }] : [];
    };
    const row = ROWS.get(option);
    assert.ok(row);
    assert.deepEqual(find(row.type), [{ min, max }]);
  });
}

test('what is refused by name is not also allowed', () => {
  for (const [name, { type }] of ROWS) {
    if (type.kind !== 'words') continue;
    const refused = Object.keys(type.refused ?? {});
    assert.deepEqual(
      refused.filter((word) => type.words.includes(word)),
      [],
      name,
    );
  }
});
