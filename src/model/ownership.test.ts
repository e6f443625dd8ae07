import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { aliasOf, groupOf, isOurs, PROTOCOL, readAlias } from './ownership.ts';

const aliases = [
  { in: 'everlan:article/vxlan0', want: { fabric: 'article', overlay: 'vxlan0' } },
  { in: 'everlan:a-1/vx.0', want: { fabric: 'a-1', overlay: 'vx.0' } },
  { in: `everlan:${'f'.repeat(32)}/v`, want: { fabric: 'f'.repeat(32), overlay: 'v' } },
  { in: `everlan:${'f'.repeat(33)}/v`, want: null },
  ...[
    '',
    'everlan:',
    'everlan:/vxlan0',
    'everlan:article',
    'everlan:article/',
    'everlan:article/a/b',
    'everlan:Article/vxlan0',
  ].map((text) => ({ in: text, want: null })),
  ...['everlan:1a/v', ' everlan:article/v', 'xeverlan:article/v', 'Everlan:article/v', 'uplink to the lab'].map(
    (text) => ({ in: text, want: null }),
  ),
];

for (const { in: alias, want } of aliases) {
  test(`alias ${JSON.stringify(alias)}`, () => assert.deepEqual(readAlias(alias), want));
}

const fabric = fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/);
const linkName = fc.stringMatching(/^[a-zA-Z0-9_.-]{1,15}$/);

test('an alias reads back as it was written, and fits the kernel’s 255 bytes', () => {
  fc.assert(
    fc.property(fabric, linkName, (name, overlay) => {
      const alias = aliasOf(name, overlay);
      assert.deepEqual(readAlias(alias), { fabric: name, overlay });
      assert.ok(Buffer.byteLength(alias) <= 255);
    }),
  );
});

test('a fabric’s group is a u32 that stays the same, away from what a person would choose', () => {
  // By hand: what `printf article | sha256sum` begins with is the low half.
  assert.equal(groupOf('article'), 0x6576_8439);
  fc.assert(
    fc.property(fabric, (name) => {
      const group = groupOf(name);
      assert.equal(group, groupOf(name));
      assert.equal(group >>> 16, 0x6576);
      assert.ok(Number.isInteger(group) && group <= 0xffffffff);
    }),
  );
});

const GROUP = groupOf('article');
const owned = [
  { name: 'our alias and group', link: { alias: 'everlan:article/vxlan0', group: GROUP }, want: true },
  { name: 'our alias in another group', link: { alias: 'everlan:article/vxlan0', group: 0 }, want: true },
  { name: 'our group, no alias yet', link: { alias: '', group: GROUP }, want: true },
  {
    name: 'our group, but the alias of a second fabric',
    link: { alias: 'everlan:other/vxlan0', group: GROUP },
    want: false,
  },
  { name: 'our group, but a person’s alias', link: { alias: 'uplink', group: GROUP }, want: false },
  { name: 'a stranger’s link', link: { alias: '', group: 0 }, want: false },
  { name: 'a fabric whose name begins like ours', link: { alias: 'everlan:article-2/vxlan0', group: 0 }, want: false },
];

for (const { name, link, want } of owned) {
  test(`is it ours: ${name}`, () => assert.equal(isOurs(link, 'article'), want));
}

test('the protocol number fits a byte and is none that the kernel or a routing daemon uses', () => {
  // RTPROT_* of <linux/rtnetlink.h> and /etc/iproute2/rt_protos.
  const taken = [0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 42, 84, 99, 186, 187, 188, 189, 192];
  assert.ok(PROTOCOL > 0 && PROTOCOL < 256 && !taken.includes(PROTOCOL));
});
