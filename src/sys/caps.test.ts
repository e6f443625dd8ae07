import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { type Capability, hasCapability, statusHasCapability } from './caps.ts';

const cases: readonly { name: string; in: string; want: readonly Capability[] }[] = [
  {
    name: 'all',
    in: 'CapPrm:\t0\nCapEff:\t000001ffffffffff\n',
    want: ['CAP_NET_ADMIN', 'CAP_NET_RAW', 'CAP_SYS_ADMIN'],
  },
  { name: 'none', in: 'CapPrm:\t000001ffffffffff\nCapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\n', want: [] },
  { name: 'net admin', in: 'CapEff:\t0000000000001000\n', want: ['CAP_NET_ADMIN'] },
  { name: 'net raw', in: 'CapEff:\t0000000000002000\n', want: ['CAP_NET_RAW'] },
  { name: 'sys admin', in: 'CapEff:\t0000000000200000\n', want: ['CAP_SYS_ADMIN'] },
  { name: 'no such line', in: 'Name:\tnode\n', want: [] },
];

for (const { name, in: status, want } of cases) {
  test(`capabilities: ${name}`, () => {
    const names: Capability[] = ['CAP_NET_ADMIN', 'CAP_NET_RAW', 'CAP_SYS_ADMIN'];
    assert.deepEqual(
      names.filter((capability) => statusHasCapability(status, capability)),
      want,
    );
  });
}

test('the kernel tells ours, and what is left after giving some up', (t) => {
  const code = `import { hasCapability } from ${JSON.stringify(new URL('caps.ts', import.meta.url).href)};
    process.stdout.write(JSON.stringify(['CAP_NET_ADMIN', 'CAP_NET_RAW', 'CAP_SYS_ADMIN'].map(hasCapability)));`;
  const script = [process.execPath, '--input-type=module', '-e', code];
  if (!hasCapability('CAP_SYS_ADMIN')) return t.skip('has no capabilities to give up');
  const run = spawnSync('setpriv', ['--bounding-set=-net_raw', '--inh-caps=-net_raw', ...script], { encoding: 'utf8' });
  assert.equal(run.stdout, '[true,false,true]', run.stderr);
});
