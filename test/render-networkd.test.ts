/** A real systemd-networkd makes of rendered files what `everlan apply` makes, attribute by attribute. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { converge, lookAt } from '../src/apply/converge.ts';
import { memoryStore } from '../src/apply/store.ts';
import { networkd } from '../src/render/networkd.ts';
import { CASES, example, ODD_NAMES, SIX } from './render-networkd.cases.testing.ts';
import { applied, bareHost, context, needsTools, type Setting, settingOf } from './render-networkd.testing.ts';

const underlayFile = ({ device, underlay }: Setting): string =>
  `[Match]\nName=${device}\n\n[Network]\nAddress=${underlay}\nIPv6AcceptRA=no\n`;

for (const { name, text, host } of [...CASES, { name: 'odd names', text: ODD_NAMES, host: 'alpha' }]) {
  test(`networkd makes what apply makes: ${name}`, { skip: needsTools }, async (t) => {
    const setting = settingOf(text, host);
    const made = await bareHost(t, setting);
    made.host.write('10-net.network', underlayFile(setting));
    const { files } = networkd.render(made.rendered, context('10-net'));
    made.copy(files);
    await made.host.startNetworkd();
    await made.configured();
    made.seenByUdev();
    const want = applied(t, setting);
    assert.deepEqual(made.facts(), want);

    await made.host.stopNetworkd();
    await made.host.startNetworkd();
    await made.configured();
    assert.deepEqual(made.facts(), want, 'after a restart of networkd');
  });
}

test('copied to a host where networkd runs: a reload makes the links, and the underlay keeps its own file', {
  skip: needsTools,
}, async (t) => {
  const setting = settingOf(example('article'), 'alpha');
  const made = await bareHost(t, setting);
  made.host.write('10-net.network', underlayFile(setting));
  await made.host.startNetworkd();
  made.copy(networkd.render(made.rendered, context('10-net')).files);
  made.host.networkctl('reload');
  await made.configured();
  made.seenByUdev();
  assert.deepEqual(made.facts(), applied(t, setting));
  const kept = made.host.run('cat', `/run/systemd/netif/links/${made.host.index('eth0')}`);
  assert.match(kept, /^NETWORK_FILE=\/run\/systemd\/network\/10-net\.network$/m);
});

test('the links are networkd’s: everlan takes them over only when told to, and then in place', {
  skip: needsTools,
}, async (t) => {
  const setting = settingOf(example('three-hosts'), 'alpha');
  const made = await bareHost(t, setting);
  made.host.write('10-net.network', underlayFile(setting));
  made.copy(networkd.render(made.rendered, context('10-net')).files);
  await made.host.startNetworkd();
  await made.configured();
  const store = memoryStore('trio');
  const { plan } = lookAt(made.kernel, made.desired, store);
  assert.deepEqual(
    plan.conflicts.map(({ code }) => code),
    ['stranger-link'],
  );
  const adopted = converge(made.kernel, made.desired, store, { adopt: true });
  assert.deepEqual(
    adopted.plan.steps.filter(({ kind }) => kind === 'link').map(({ action }) => action),
    ['change'],
  );
});

test('what networkd cannot say: an IPv6 link without any address', { skip: needsTools }, async (t) => {
  const text = SIX.replace('flow-label: 1048575', 'local: none');
  const setting = settingOf(text, 'alpha');
  const made = await bareHost(t, setting);
  const unsaid = networkd.unsaid?.(made.rendered) ?? [];
  assert.deepEqual(
    unsaid.map(({ overlay, option }) => ({ overlay, option })),
    [{ overlay: 'many', option: 'local' }],
  );
  made.host.write('10-net.network', underlayFile(setting));
  made.copy(networkd.render(made.rendered, context('10-net')).files);
  await made.host.startNetworkd();
  await made.settled('many', 'failed');
});
