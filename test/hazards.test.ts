/** What no agent can heal: it is told in plain words. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { duplicate, type UnderlayDevice } from '../src/kernel/duplicate.ts';
import { overlaps } from '../src/kernel/overlap.ts';
import { type IpAddress, parseIp } from '../src/model/address.ts';
import { createNamespace, deleteNamespace } from '../src/sys/netns.ts';
import { applier } from './support/apply.ts';
import { needsRoot, type TestHost, testHost } from './support/host.ts';

const FABRIC = `fabric: test
hosts: {alpha: 10.0.0.1, beta: 10.0.0.2}
overlays: {vx0: {vni: 5, hosts: {alpha: 10.7.0.1/24, beta: 10.7.0.2/24}}}
`;

function known<T>(value: T | null): T {
  assert.ok(value !== null);
  return value;
}

const address = (text: string): IpAddress => known(parseIp(text));

describe('an overlay network that other routes share', { skip: needsRoot }, () => {
  const found = (host: TestHost): readonly string[] => {
    const desired = applier(host).desired(FABRIC);
    return overlaps(host.kernel.look().facts, desired, host.fd).map(({ message }) => message);
  };

  test('is told, with who wins; others and the default route are not', (t) => {
    const host = testHost(t);
    host.ip('link add wide0 type veth peer name wide1');
    host.ip('addr add 10.6.0.1/15 dev wide0');
    host.ip('link set wide0 up');
    host.ip('link set wide1 up');
    host.ip('route add 10.7.0.128/25 via 10.0.0.2');
    host.ip('route add default via 10.0.0.2');
    host.ip('route add 10.8.0.0/16 via 10.0.0.2');
    const told = [
      '10.7.0.0/24 of vx0 overlaps the route to 10.6.0.0/15 on wide0: 10.7.0.0/24 goes by vx0, not by wide0',
      '10.7.0.0/24 of vx0 overlaps the route to 10.7.0.128/25 on eth0: 10.7.0.128/25 goes by eth0, not by vx0',
    ];
    assert.deepEqual(found(host), told);
    applier(host).apply(FABRIC);
    assert.deepEqual(found(host), told, 'our own routes are no others');
  });

  test('nothing is told where nothing is shared', (t) => {
    assert.deepEqual(found(testHost(t)), []);
  });
});

describe('an underlay address that another machine has', { skip: needsRoot }, () => {
  const device = (host: TestHost): UnderlayDevice => known(host.kernel.look().facts.links.get('eth0') ?? null);

  const withOther = (t: Parameters<typeof testHost>[0], prefix: string) => {
    const host = testHost(t);
    const other = `${host.name}-other`;
    createNamespace(other);
    t.after(() => deleteNamespace(other));
    host.ip(`link set far0 netns ${other}`);
    const there = (line: string) => host.ip(`netns exec ${other} ip ${line}`);
    there(`addr add ${prefix} dev far0${prefix.includes(':') ? ' nodad' : ''}`);
    there('link set far0 address 02:00:00:00:00:0b');
    there('link set far0 up');
    return host;
  };

  test('is found by a probe, with the MAC of the other', async (t) => {
    const host = withOther(t, '10.0.0.1/24');
    const found = await duplicate(address('10.0.0.1'), device(host), host.fd);
    assert.match(
      found?.message ?? '',
      /^another machine on eth0, with the MAC 02:00:00:00:00:0b, has 10\.0\.0\.1 as well/,
    );
  });

  test('is not found where nobody has it', async (t) => {
    const host = withOther(t, '10.0.0.2/24');
    assert.equal(await duplicate(address('10.0.0.1'), device(host), host.fd), null);
  });

  test('a device that goes down while it is asked is none to ask, and nothing else is told of it', async (t) => {
    const host = withOther(t, '10.0.0.2/24');
    const asked = duplicate(address('10.0.0.1'), device(host), host.fd);
    host.ip('link set eth0 down');
    let over = false;
    void asked.finally(() => {
      over = true;
    });
    // An error that nobody took would come out of whatever calls the kernel next.
    for (; !over; await new Promise(setImmediate)) host.kernel.look();
    assert.equal(await asked, null);
  });

  test('IPv6: what the kernel found out is told', async (t) => {
    const host = withOther(t, 'fd00::9/64');
    const failed = () => host.ip('-6 addr show dev eth0').includes('dadfailed');
    host.ip('addr add fd00::9/64 dev eth0');
    // The kernel itself takes about a second to find out.
    for (let i = 0; i < 300 && !failed(); i++) await new Promise((done) => setTimeout(done, 20));
    assert.ok(failed());
    assert.match(
      (await duplicate(address('fd00::9'), device(host), host.fd))?.message ?? '',
      /another machine on eth0 has fd00::9/,
    );
    assert.equal(await duplicate(address('fd00::1'), device(host), host.fd), null);
  });
});
