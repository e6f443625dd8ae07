/** everlan dispatcher under more signals than scripts can follow, from a networkd that is played. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fakeNetworkd, propertiesChanged } from '../src/networkd/peer.testing.ts';
import { brief, dispatcher, type RunningDispatcher, Scripts, until } from './dispatcher.testing.ts';
import { needsBus, privateBus } from './support/bus.ts';
import { needsNetworkd, networkdHost } from './support/networkd.ts';

const SIGNALS = 20_000;
/**
 * What waits at most, and what runs: 33. On a busy machine the dispatcher still reads the last signals when the first scripts
 * end, and each that ends then makes room for one more.
 */
const MOST_RUN = 2 * 33;
const LO = 1;
/** Compiled code and room for young objects; that events do not pile up is seen by what runs. */
const MOST_GROWTH_KB = 16 * 1024;

function dirtyKb({ pid }: RunningDispatcher): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Private_Dirty:\s+(\d+)/m.exec(rollup)?.[1]);
}

test('twenty thousand signals: older ones merged, the newest state runs, little memory', {
  skip: needsNetworkd || needsBus,
}, async (t) => {
  const host = await networkdHost(t, { start: 'nothing' });
  const bus = await privateBus(t);
  const networkd = await fakeNetworkd(bus.socket, new Map([[LO, ['unmanaged', 'carrier']]]));
  const scripts = new Scripts(host, '/run/hooks');
  const wait = `while ! [ -e ${scripts.folder}/go ]; do sleep 0.05; done`;
  for (const state of ['off', 'carrier', 'degraded'])
    scripts.add(`${state}.d/10-slow`, `${wait}; ${scripts.recording()}`);
  // The end of the signals is one of another property, told in the log.
  scripts.add('configured.d/10-end', scripts.recording());
  const running = await dispatcher(host, scripts, { env: bus.env, networkOutside: true });
  const before = dirtyKb(running);
  const path = `/org/freedesktop/network1/link/_3${LO}`;
  const send = (OperationalState: string): number => networkd.send(propertiesChanged(path, { OperationalState }));
  for (let i = 0; i < SIGNALS / 2; i++) {
    send('off');
    send('carrier');
    if (i % 500 === 0) await networkd.settled();
  }
  send('degraded');
  networkd.send(propertiesChanged(path, { AdministrativeState: 'configured' }));
  await networkd.settled();
  scripts.addFile('go', '');
  await until(() => scripts.invocations().some((one) => brief(one) === 'lo configured'));
  const ran = scripts.states('lo');
  assert.ok(ran.length <= MOST_RUN, `${ran.length} ran`);
  assert.deepEqual(ran.slice(-2), ['degraded', 'configured']);
  const merged = running.log.flatMap(
    (line) => /^WARNING:Interface lo: (\d+) older events merged/.exec(line)?.[1] ?? [],
  );
  const sum = merged.reduce((total, count) => total + Number(count), 0);
  assert.equal(ran.length + sum, SIGNALS + 2);
  const growth = dirtyKb(running) - before;
  assert.ok(growth < MOST_GROWTH_KB, `${growth} kB more memory`);
  networkd.close();
  await running.stop();
});
