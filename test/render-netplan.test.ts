/** The real netplan and a real systemd-networkd make of rendered files what `everlan apply` makes. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { netplan } from '../src/render/netplan.ts';
import type { RenderedFile } from '../src/render/target.ts';
import { CASES, example } from './render-networkd.cases.testing.ts';
import { applied, bareHost, context, needsTools, type Setting, settingOf } from './render-networkd.testing.ts';
import { runs } from './support/process.ts';
import { EVERLAN, temporaryFile, temporaryFolder } from './support/program.ts';

const skip = needsTools || (runs('netplan') ? false : 'needs netplan: package netplan.io');
const MAC = '52:54:00:12:34:56';

interface Underlay {
  readonly id: string;
  readonly yaml: string;
}

const plain = ({ device, underlay }: Setting): Underlay => ({
  id: device,
  yaml: `network: {version: 2, ethernets: {${device}: {addresses: ["${underlay}"], accept-ra: false}}}\n`,
});

/** As cloud-init writes it on Ubuntu’s images. */
const cloudInit = ({ device, underlay }: Setting): Underlay => ({
  id: 'id0',
  yaml: `network:
  version: 2
  ethernets:
    id0:
      match: {macaddress: "${MAC}"}
      set-name: ${device}
      addresses: ["${underlay}"]
      accept-ra: false
`,
});

/** What netplan writes below /run, and what is beside it, as a tree. */
function generated(t: TestContext, files: readonly RenderedFile[], { yaml }: Underlay): readonly RenderedFile[] {
  const root = temporaryFolder(t);
  const own = { path: 'etc/netplan/50-cloud-init.yaml', text: yaml, mode: 0o600 };
  for (const { path, text, mode } of [own, ...files]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { mode });
  }
  const said = execFileSync('netplan', ['generate', '--root-dir', root], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  assert.equal(said, '');
  const folder = 'run/systemd/network';
  const written = readdirSync(join(root, folder)).map((name) => {
    // The end of a veth has no permanent MAC.
    const text = readFileSync(join(root, folder, name), 'utf8').replace('PermanentMACAddress=', 'MACAddress=');
    return { path: `${folder}/${name}`, text, mode: 0o644 };
  });
  return [...files.filter(({ path }) => path.startsWith('etc/systemd/')), ...written];
}

/** networkd sets a broadcast address, which netplan has no word against; the kernel does without. */
function withoutBroadcast(facts: Readonly<Record<string, unknown>>): unknown {
  return JSON.parse(JSON.stringify(facts), (key, value: unknown) => (key === 'broadcast' ? undefined : value));
}

async function compare(t: TestContext, setting: Setting, underlay: Underlay): Promise<void> {
  const made = await bareHost(t, setting);
  made.host.ip(`link set ${setting.device} address ${MAC}`);
  const { files } = netplan.render(made.rendered, context(underlay.id));
  made.copy(generated(t, files, underlay));
  await made.host.startNetworkd();
  await made.configured();
  made.seenByUdev();
  const want = withoutBroadcast(applied(t, setting));
  assert.deepEqual(withoutBroadcast(made.facts()), want);

  const index = made.host.index(setting.device);
  const kept = made.host.run('cat', `/run/systemd/netif/links/${index}`);
  assert.match(kept, new RegExp(`^NETWORK_FILE=/run/systemd/network/10-netplan-${underlay.id}\\.network$`, 'm'));
  assert.ok(made.host.ip(`address show dev ${setting.device}`).includes(` ${setting.underlay} `));

  await made.host.stopNetworkd();
  await made.host.startNetworkd();
  await made.configured();
  assert.deepEqual(withoutBroadcast(made.facts()), want, 'after a restart of networkd');
}

for (const { name, text, host } of CASES) {
  test(`netplan makes what apply makes: ${name}`, { skip }, async (t) => {
    const setting = settingOf(text, host);
    await compare(t, setting, plain(setting));
  });
}

test('netplan makes what apply makes: an underlay as cloud-init declares it', { skip }, async (t) => {
  const setting = settingOf(example('three-hosts'), 'alpha');
  await compare(t, setting, cloudInit(setting));
});

test('everlan reads on the host whose configuration the underlay has', { skip }, async (t) => {
  const text = example('article');
  const setting = settingOf(text, 'alpha');
  const { host, copy, settled } = await bareHost(t, setting);
  host.ip(`link set eth0 address ${MAC}`);
  host.ip(`addr add ${setting.underlay} dev eth0`);
  host.ip('link set eth0 up');
  const file = temporaryFile(t, text);
  const render = (target: string): string => host.run(EVERLAN, 'render', target, '-q', '-f', file, '--host', 'alpha');
  assert.throws(() => render('netplan'), /netplan’s ID of eth0 is not known/);
  assert.throws(() => render('networkd'), /the name of the .network file of eth0 is not known/);

  const { yaml } = cloudInit(setting);
  copy([{ path: 'run/netplan/50-cloud-init.yaml', text: yaml, mode: 0o600 }]);
  assert.match(render('netplan'), /^ {6}link: id0$/m);

  // netplan's own file says it as well, once networkd has it.
  copy([{ path: 'run/netplan/50-cloud-init.yaml', text: '', mode: 0o600 }]);
  host.write(
    '10-netplan-lan.network',
    `[Match]\nName=eth0\n\n[Network]\nAddress=${setting.underlay}\nIPv6AcceptRA=no\n`,
  );
  // networkd 252 has been seen to fail on a link that had the address before it started.
  host.ip('addr flush dev eth0');
  host.ip('link set eth0 down');
  await host.startNetworkd();
  await settled('eth0', 'configured');
  assert.match(render('netplan'), /^ {6}link: lan$/m);
  assert.match(render('networkd'), /^# ==> etc\/systemd\/network\/10-netplan-lan\.network\.d\/50-everlan\.conf /m);
});
