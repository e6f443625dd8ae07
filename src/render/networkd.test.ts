/** What is written for networkd and netplan without asking them; that they make the right links of it is tried in test/. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderHost } from '../cli/render-host.ts';
import { parseFabricOrThrow } from '../fabric/parse.ts';
import { EverlanError } from '../model/problem.ts';
import { netplan } from './netplan.ts';
import { networkd } from './networkd.ts';
import type { RenderContext, Rendered, RenderHost, Target } from './target.ts';

const CONTEXT: RenderContext = { file: 'f.yaml', text: '', version: '1.0', underlayId: null, packageUrl: null };

const ARTICLE = `
fabric: article
hosts: {alpha: {underlay: 10.0.0.4, device: eth0}, beta: 10.10.0.4, gamma: 10.0.0.5}
overlays:
  vxlan0: {vni: 77, hosts: {alpha: 169.254.0.1/24, beta: 169.254.0.2/24}}
`;

function hostOf(text: string, name = 'alpha'): RenderHost {
  const { fabric } = parseFabricOrThrow(Buffer.from(text), 'f.yaml');
  const host = fabric.hosts.get(name);
  assert.ok(host);
  return renderHost(fabric, host);
}

const pathsOf = ({ files }: Rendered): readonly string[] => files.map(({ path }) => path);

const textOf = ({ files }: Rendered, path: string): string => files.find((file) => file.path === path)?.text ?? '';

const YAML = 'etc/netplan/60-everlan.yaml';
const DROP_IN = 'etc/systemd/network/10-net.network.d/50-everlan.conf';

test('netplan’s file', () => {
  const rendered = netplan.render(hostOf(ARTICLE), { ...CONTEXT, underlayId: 'id0' });
  assert.equal(
    textOf(rendered, YAML),
    `# Made by everlan 1.0 from f.yaml: fabric article, host alpha.
# Change that file and render again: what is changed here is lost then.
network:
  version: 2
  tunnels:
    vxlan0:
      mode: vxlan
      id: 77
      link: id0
      local: 10.0.0.4
      remote: 10.10.0.4
      port: 4789
      checksums: [udp]
      macaddress: "8a:66:8e:51:63:5c"
      addresses: [169.254.0.1/24]
`,
  );
  assert.deepEqual(
    rendered.files.map(({ path, mode }) => [path, mode]),
    [
      [YAML, 0o600],
      ['etc/systemd/network/10-netplan-vxlan0.network.d/50-everlan.conf', 0o644],
    ],
  );
});

const UNDERLAYS: readonly {
  name: string;
  target: Target;
  host?: Partial<RenderHost>;
  said: string | null;
  want: string | null;
}[] = [
  { name: 'not known', target: networkd, said: null, want: null },
  { name: 'not known', target: netplan, said: null, want: null },
  { name: 'said', target: networkd, said: '10-net', want: DROP_IN },
  { name: 'said with its ending', target: networkd, said: '10-net.network', want: DROP_IN },
  { name: 'said with its folder', target: networkd, said: '/run/systemd/network/10-net.network', want: DROP_IN },
  { name: 'a folder', target: networkd, said: '/run/systemd/network/', want: null },
  { name: 'one that leads elsewhere', target: networkd, said: '..', want: null },
  { name: 'a line break', target: networkd, said: '10-net\n', want: null },
  {
    name: 'read',
    target: networkd,
    host: { networkFile: '/etc/systemd/network/10-net.network' },
    said: null,
    want: DROP_IN,
  },
  {
    name: 'read, and said otherwise',
    target: networkd,
    host: { networkFile: '/etc/systemd/network/99-all.network' },
    said: '10-net',
    want: DROP_IN,
  },
  { name: 'said', target: netplan, said: 'id0', want: 'link: id0\n' },
  { name: 'hostile', target: netplan, said: 'a: {b', want: 'link: "a: {b"\n' },
  { name: 'a line break', target: netplan, said: 'a\nb: c', want: null },
  { name: 'read in netplan’s files', target: netplan, host: { netplanId: 'id0' }, said: null, want: 'link: id0\n' },
  {
    name: 'told by networkd',
    target: netplan,
    host: { networkFile: '/run/systemd/network/10-netplan-id0.network' },
    said: null,
    want: 'link: id0\n',
  },
  {
    name: 'told by networkd to be another’s',
    target: netplan,
    host: { networkFile: '/etc/systemd/network/10-net.network' },
    said: null,
    want: null,
  },
];

for (const { name, target, host, said, want } of UNDERLAYS) {
  test(`${target.name}: the underlay’s own configuration is ${name}`, () => {
    const render = (): Rendered => target.render({ ...hostOf(ARTICLE), ...host }, { ...CONTEXT, underlayId: said });
    if (want === null) assert.throws(render, EverlanError);
    else if (target === netplan) assert.ok(textOf(render(), YAML).includes(want));
    else assert.ok(pathsOf(render()).includes(want));
  });
}

for (const target of [networkd, netplan]) {
  test(`${target.name}: without a device nothing need be known of the underlay`, () => {
    const host = hostOf(ARTICLE.replace('device: eth0', 'device: none'));
    const paths = pathsOf(target.render(host, CONTEXT));
    assert.ok(paths.length > 0);
    assert.ok(paths.every((path) => path === YAML || path.includes('vxlan0')));
  });

  test(`${target.name}: a host that is in no overlay gets nothing`, () => {
    assert.deepEqual(target.render(hostOf(ARTICLE, 'gamma'), CONTEXT), { files: [], notes: [] });
  });

  test(`${target.name}: a file’s name stays in its comment`, () => {
    const host = hostOf(ARTICLE);
    const { files } = target.render(host, { ...CONTEXT, file: 'a\nb: [x]\r\u2028=y', underlayId: '10-net' });
    for (const { text } of files) assert.ok(text.includes(' from a?b: [x]??=y: fabric article,'));
  });
}

const NAMES: readonly { name: string; refused: readonly Target[] }[] = [
  { name: 'vxlan0', refused: [] },
  { name: 'br.lan-1_x', refused: [] },
  { name: '77', refused: [networkd, netplan] },
  { name: 'a"b', refused: [networkd, netplan] },
  { name: "a'b", refused: [networkd, netplan] },
  { name: 'a\\', refused: [networkd, netplan] },
  { name: '!a', refused: [networkd, netplan] },
  { name: 'a*', refused: [netplan] },
  { name: '[a]', refused: [netplan] },
  { name: '{a}', refused: [netplan] },
];

for (const { name, refused } of NAMES) {
  test(`a link of the name ${name}`, () => {
    const host = hostOf(ARTICLE.replace('vxlan0', JSON.stringify(name)));
    for (const target of [networkd, netplan]) {
      const render = (): Rendered => target.render(host, { ...CONTEXT, underlayId: '10-net' });
      if (refused.includes(target)) assert.throws(render, EverlanError);
      else assert.ok(render().files.length > 0);
    }
  });
}
