/** The json of a link that has everything, beside Debian's networkd-dispatcher. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEBIANS, dispatcher, needsDebians, Scripts, settledHost, until } from './dispatcher.testing.ts';

const FILES = {
  '10-eth0.network': `[Match]
Name=eth0

[Network]
DHCP=ipv4
DNS=9.9.9.9
NTP=10.0.0.7
Domains=a.example ~b.example
IPv6AcceptRA=no
`,
  '20-far0.network': `[Match]
Name=far0

[Network]
Address=10.0.0.254/24
DHCPServer=yes
IPv6AcceptRA=no

[DHCPServer]
EmitRouter=yes
`,
};
/** Asked of the driver, or of the DHCP client itself. */
const LEFT_OUT = ['Auto negotiation', 'Duplex', 'Port', 'Speed', 'DHCP4 Client ID', 'Time Zone'];

test('a link with a lease, a gateway, servers and domains', { skip: needsDebians }, async (t) => {
  const host = await settledHost(t, { files: FILES });
  await until(() => !host.ip('-6 addr show').includes('tentative'));
  const [ours = {}, theirs = {}] = await Promise.all(
    [undefined, DEBIANS].map(async (program, i) => {
      const scripts = new Scripts(host, `/run/hooks${i}`);
      scripts.recordEverything();
      const args = ['-T'];
      const running = await dispatcher(host, scripts, program === undefined ? { args } : { args, program });
      await until(() => scripts.states('eth0').includes('routable'));
      await running.stop();
      const env = scripts.of('eth0').find((invocation) => invocation.env.STATE === 'routable')?.env;
      const json: Record<string, unknown> = JSON.parse(env?.json ?? '{}');
      for (const key of LEFT_OUT) delete json[key];
      return { ADDR: env?.ADDR, IP_ADDRS: env?.IP_ADDRS, ...json };
    }),
  );
  assert.deepEqual(ours, theirs);
  for (const key of ['Gateway', 'DNS', 'NTP', 'Search Domains', 'Route Domains']) assert.ok(key in ours, key);
});
