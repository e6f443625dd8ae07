import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Part, type Path, Positions } from './positions.ts';

const text = `# 見出し
hosts:
  alpha: 10.0.0.4
  beta: {underlay: "10.10.0.4", device: eth0}
overlays:
  vxlan0: &vx
    vni: 77
    ageing:
    port-range: [ 1, 2 ]  # ]
    hosts:
      alpha:
        - 1.1.1.1/8
        - 'a'
  日本: *vx
  0x10: 5
  last: {a: [], b: {}}
`;

const rows: { name: string; path: Path; part?: Part; want: string }[] = [
  { name: 'a scalar', path: ['overlays', 'vxlan0', 'vni'], want: '7:10 77' },
  { name: 'its key', path: ['overlays', 'vxlan0', 'vni'], part: 'key', want: '7:5 vni' },
  { name: 'quotes belong to it', path: ['hosts', 'beta', 'underlay'], want: '4:20 "10.10.0.4"' },
  { name: 'past a scalar: the scalar', path: ['hosts', 'alpha', 'underlay'], want: '3:10 10.0.0.4' },
  { name: 'a missing key: the key of its map', path: ['overlays', 'vxlan0', 'nothing'], want: '6:3 vxlan0' },
  { name: 'a value that is not written: its key', path: ['overlays', 'vxlan0', 'ageing'], want: '8:5 ageing' },
  { name: 'a flow list', path: ['overlays', 'vxlan0', 'port-range'], want: '9:17 [ 1, 2 ]' },
  { name: 'an item of it', path: ['overlays', 'vxlan0', 'port-range', 1], want: '9:22 2' },
  { name: 'an item of a block list', path: ['overlays', 'vxlan0', 'hosts', 'alpha', 1], want: "13:11 'a'" },
  { name: 'a flow map', path: ['hosts', 'beta'], want: '4:9 {underlay: "10.10.0.4", device: eth0}' },
  { name: 'through an alias: what it names', path: ['overlays', '日本', 'vni'], want: '7:10 77' },
  { name: 'an alias', path: ['overlays', '日本'], want: '14:7 *vx' },
  { name: 'a wide key', path: ['overlays', '日本'], part: 'key', want: '14:3 日本' },
  { name: 'a key that is a number', path: ['overlays', 16], part: 'key', want: '15:3 0x10' },
  { name: 'an empty flow list', path: ['overlays', 'last', 'a'], want: '16:13 []' },
  { name: 'an empty flow map', path: ['overlays', 'last', 'b'], want: '16:20 {}' },
  { name: 'a missing key at the top: where the map begins', path: ['fabric'], want: '2:1 hosts' },
];

for (const row of rows) {
  test(`locate: ${row.name}`, () => {
    const place = new Positions({ file: 'f', text }).locate(row.path, row.part);
    const marked = [...place.text].slice(place.column - 1, place.column - 1 + place.length).join('');
    assert.equal(`${place.line}:${place.column} ${marked}`, row.want);
  });
}

test('locate: a key that is read as text', () => {
  const place = new Positions({ file: 'f', text }, 'text').locate(['overlays', '0x10'], 'key');
  assert.equal(`${place.line}:${place.column}`, '15:3');
});
