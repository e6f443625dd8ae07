/** A real systemd-networkd whose files match every link: what it does to ours, and that it does not once it is told. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { type Home, keepHome } from '../src/agent/home.ts';
import { claim } from '../src/apply/home.ts';
import { until } from './dispatcher.testing.ts';
import { type NetworkdHost, needsNetworkd, networkdHost } from './support/networkd.ts';

const SKIP = { skip: needsNetworkd };
/** Whoever matches has this address and no other. */
const HOSTILE = {
  '10-all.network': '[Match]\nName=*\n\n[Network]\nAddress=10.9.9.9/24\nLinkLocalAddressing=no\nKeepConfiguration=no\n',
};

const rootOf = (host: NetworkdHost): string => `/proc/${host.pid}/root`;

let vni = 1;
/** As an overlay is made: with its address from the beginning. */
function overlay(host: NetworkdHost, name: string): void {
  host.run('ip', 'link', 'add', 'name', name, 'type', 'vxlan', 'id', String(vni++), 'dstport', '4789');
  host.run('ip', 'address', 'add', '169.254.0.1/24', 'dev', name);
  host.run('ip', 'link', 'set', 'dev', name, 'up');
}

interface Row {
  readonly addr_info: readonly { readonly family: string; readonly local: string; readonly scope: string }[];
}

function addresses(host: NetworkdHost, name: string): string[] {
  const rows: Row[] = JSON.parse(host.run('ip', '-j', 'address', 'show', 'dev', name));
  return rows.flatMap(({ addr_info }) => addr_info.filter(({ family }) => family === 'inet').map(({ local }) => local));
}

function setup(host: NetworkdHost, name: string): unknown {
  const index = host.index(name);
  const { Interfaces }: { Interfaces: { Index: number; AdministrativeState: string }[] } = JSON.parse(
    host.networkctl('--json=short', 'list'),
  );
  return Interfaces.find((each) => each.Index === index)?.AdministrativeState;
}

const OURS = ['169.254.0.1'];
const NETWORKDS = ['10.9.9.9'];

/** What networkd does to a link that it manages: first it adds, and when it looks again it takes away the rest. */
async function spoiled(host: NetworkdHost, name: string): Promise<void> {
  await until(() => setup(host, name) === 'configured');
  host.networkctl('reconfigure', name);
  await until(() => isDeepStrictEqual(addresses(host, name), NETWORKDS));
}

/** networkd meets links in the order in which they come: by now it has done with those of before. */
async function passed(host: NetworkdHost): Promise<void> {
  const canary = `canary${vni}`;
  overlay(host, canary);
  await spoiled(host, canary);
}

function homeOf(t: TestContext, host: NetworkdHost): { home: Home; problems: unknown[] } {
  const problems: unknown[] = [];
  const home = keepHome(host.env, (problem) => problems.push(problem), rootOf(host));
  t.after(() => home.close());
  return { home, problems };
}

test('untold, networkd takes an overlay’s address away; told, it leaves the link alone', SKIP, async (t) => {
  const host = await networkdHost(t, { files: HOSTILE });
  overlay(host, 'vxlan0');
  await spoiled(host, 'vxlan0');

  const { home, problems } = homeOf(t, host);
  await home.claim('article', ['vxlan0', 'vxlan1']);
  overlay(host, 'vxlan1');
  await passed(host);
  for (const name of ['vxlan0', 'vxlan1']) assert.equal(setup(host, name), 'unmanaged');
  assert.deepEqual(addresses(host, 'vxlan1'), OURS);

  for (const how of ['reconfigure', 'restart']) {
    if (how === 'reconfigure') host.networkctl('reconfigure', 'vxlan1');
    else {
      await host.stopNetworkd();
      await host.startNetworkd();
    }
    await passed(host);
    assert.deepEqual([setup(host, 'vxlan1'), addresses(host, 'vxlan1')], ['unmanaged', OURS], how);
  }
  assert.deepEqual(problems, []);

  host.ip('link delete vxlan1');
  await home.release('article');
  overlay(host, 'vxlan1');
  await spoiled(host, 'vxlan1');
});

test('claimed before there is a bus or a networkd', SKIP, async (t) => {
  const host = await networkdHost(t, { start: 'nothing', files: HOSTILE });
  const { home, problems } = homeOf(t, host);
  await home.claim('article', ['vxlan0']);
  overlay(host, 'vxlan0');
  await host.startBus();
  await host.startNetworkd();
  await passed(host);
  assert.deepEqual([setup(host, 'vxlan0'), addresses(host, 'vxlan0')], ['unmanaged', OURS]);
  // Remembered on the host: an agent that starts again tells nobody.
  await until(() => existsSync(`${rootOf(host)}/run/everlan/told-article-systemd-networkd`));
  assert.deepEqual(problems, []);
});

/** Every sort of name that the file allows, and for the patterns among them one that only a pattern would match. */
const NAMES = ['a*', 'b?c', '!x', '[z]', '77', 'a\\', '\\', '"q"', "a'b", '#h', ';s', '=e', '~t', 'a]', '[!a]', '\\*'];
const LONGEST = ['*'.repeat(15), '123456789012345'];
const OTHERS = ['ab', 'bxc', 'x', 'z', '7', 'a', 'q', '*a', 'abcdefghijklmno'];

test('names are taken as they are, not as patterns', SKIP, async (t) => {
  const host = await networkdHost(t, { files: HOSTILE });
  const { home } = homeOf(t, host);
  const names = [...NAMES, ...LONGEST];
  await home.claim('article', names);
  for (const name of [...names, ...OTHERS]) overlay(host, name);
  await passed(host);
  for (const name of OTHERS) await until(() => setup(host, name) === 'configured');
  const left = names.filter(
    (name) => setup(host, name) === 'unmanaged' && isDeepStrictEqual(addresses(host, name), OURS),
  );
  assert.deepEqual(left, names);
});

test('4,000 names', SKIP, async (t) => {
  const host = await networkdHost(t, { files: HOSTILE });
  const { home, problems } = homeOf(t, host);
  const names = Array.from({ length: 4000 }, (_, i) => `an-overlay-${i}`);
  await home.claim('article', names);
  const some = ['an-overlay-0', 'an-overlay-1999', 'an-overlay-3999'];
  for (const name of some) overlay(host, name);
  await passed(host);
  for (const name of some) assert.deepEqual(addresses(host, name), OURS);
  assert.deepEqual(problems, []);
});

test('where no systemd configures the namespace, nothing is written', SKIP, async (t) => {
  const host = await networkdHost(t, { start: 'nothing' });
  const module = new URL('../src/apply/home.ts', import.meta.url).href;
  const script = `const { claim } = await import(${JSON.stringify(module)}); console.log(JSON.stringify(claim('article', ['vxlan0'])));`;
  host.run('mkdir', '-p', '/run/systemd/system');
  const said = host.run(process.execPath, '--input-type=module', '-e', script);
  assert.deepEqual(JSON.parse(said), { changed: [], problems: [] });
  // It would be, and read, were there one.
  assert.deepEqual(claim('article', ['vxlan0'], rootOf(host)).changed, ['systemd-networkd']);
});
