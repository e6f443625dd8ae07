/** The article's own three scripts, unchanged, and --ifupdown in their place. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  RunningDispatcher as Running,
  type RunningDispatcher,
  Scripts,
  settledHost,
  until,
} from './dispatcher.testing.ts';
import { type NetworkdHost, needsNetworkd } from './support/networkd.ts';
import { runs } from './support/process.ts';

const SKIP = { skip: needsNetworkd || (runs('run-parts') ? false : 'needs run-parts: package debianutils') };
const fixture = (name: string): string => readFileSync(new URL(`fixtures/article/${name}`, import.meta.url), 'utf8');

/** The host's /etc becomes its own: what is written there is gone with it. */
function ownEtc(host: NetworkdHost): void {
  host.run('mkdir', '-p', '/run/upper', '/run/work');
  host.run('mount', '-t', 'overlay', 'overlay', '-o', 'lowerdir=/etc,upperdir=/run/upper,workdir=/run/work', '/etc');
  host.run('rm', '-rf', '/etc/network', '/etc/networkd-dispatcher');
}

async function start(host: NetworkdHost, ...args: string[]): Promise<RunningDispatcher> {
  const running = new Running(host, { args: ['-v', '-T', ...args] });
  await running.says(/^INFO:Startup complete/);
  return running;
}

interface LinkRow {
  readonly linkinfo?: {
    readonly info_data?: { readonly id?: number; readonly remote?: string; readonly port?: number };
  };
}

function vxlanOf(host: NetworkdHost): LinkRow | null {
  const found: LinkRow[] = JSON.parse(host.ip('-j -d link show type vxlan') || '[]');
  return found[0] ?? null;
}

const has = (host: NetworkdHost): boolean => host.ip('addr show').includes('169.254.0.1/24');

test('the article’s recipe, unchanged: vxlan0 is there', SKIP, async (t) => {
  const host = await settledHost(t);
  ownEtc(host);
  const [etc, network] = [new Scripts(host, '/etc/networkd-dispatcher'), new Scripts(host, '/etc/network')];
  etc.addFile('routable.d/50-ifup-hooks', fixture('50-ifup-hooks'));
  etc.addFile('off.d/50-ifdown-hooks', fixture('50-ifdown-hooks'));
  network.addFile('if-post-up.d/vxlan', fixture('vxlan'), 0o744);
  const running = await start(host);
  await until(() => has(host));
  const data = vxlanOf(host)?.linkinfo?.info_data;
  assert.deepEqual([data?.id, data?.remote, data?.port], [77, '10.10.0.4', 4789]);
  assert.equal(await running.stop(), 0);
});

test('--ifupdown does the same without the two bridges', SKIP, async (t) => {
  const host = await settledHost(t);
  ownEtc(host);
  const network = new Scripts(host, '/etc/network');
  network.addFile('if-post-up.d/vxlan', fixture('vxlan'), 0o744);
  network.add('if-post-up.d/vxlan.sh', 'touch /run/dot');
  const running = await start(host, '--ifupdown');
  await until(() => has(host));
  assert.throws(() => host.run('ls', '/run/dot'));
  assert.equal(await running.stop(), 0);
});

test('--ifupdown: every phase with ifupdown’s own variables beside the dispatcher’s', SKIP, async (t) => {
  const host = await settledHost(t);
  ownEtc(host);
  const network = new Scripts(host, '/etc/network');
  for (const folder of ['if-pre-up.d', 'if-up.d', 'if-post-up.d', 'if-down.d', 'if-post-down.d']) {
    network.add(`${folder}/record`, network.recording());
  }
  const running = await start(host, '--ifupdown');
  await until(() => network.of('eth0').length === 2);
  host.ip('link set eth0 down');
  await until(() => network.of('eth0').length === 4);
  const seen = network.of('eth0').map(({ script, env }) => {
    const { PHASE, MODE, ADDRFAM, METHOD, LOGICAL, VERBOSITY, STATE } = env;
    return [script.split('/')[3], PHASE, MODE, ADDRFAM, METHOD, LOGICAL, VERBOSITY, STATE].join(' ');
  });
  assert.deepEqual(seen, [
    'if-up.d post-up start inet manual eth0 0 routable',
    'if-post-up.d post-up start inet manual eth0 0 routable',
    'if-down.d pre-down stop inet manual eth0 0 off',
    'if-post-down.d post-down stop inet manual eth0 0 off',
  ]);
  assert.equal(await running.stop(), 0);
});
