/** What the tests that boot a host with rendered files share: two hosts, of which the other one is made by hand. */
import assert from 'node:assert/strict';
import { lookAt } from '../src/apply/converge.ts';
import { memoryStore } from '../src/apply/store.ts';
import { parseFabricOrThrow } from '../src/fabric/parse.ts';
import { resolve } from '../src/fabric/resolve.ts';
import { openKernel } from '../src/kernel/live.ts';
import { explain } from '../src/plan/explain.ts';
import type { RenderedFile, Target } from '../src/render/target.ts';
import { openNamespace } from '../src/sys/netns.ts';
import { until } from './dispatcher.testing.ts';
import type { RealHost } from './support/real-host.ts';
import { renderedFor } from './support/render.ts';

/** The article's two hosts; alpha is the one that boots. */
export const FABRIC = `fabric: article
hosts:
  alpha: {underlay: 10.10.0.5, device: eth0}
  beta: {underlay: 10.10.0.4, device: eth0}
overlays:
  vxlan0:
    vni: 77
    hosts: {alpha: 169.254.0.1/24, beta: 169.254.0.2/24}
    mac: {alpha: "02:00:00:00:00:77"}
`;

/** The same, with the device to be found by its address. */
export const BY_ADDRESS = FABRIC.replaceAll(/\{underlay: (\S+), device: eth0\}/g, '$1');

export const NETWORK =
  '[Match]\nName=eth0\n\n[Network]\nAddress=10.10.0.5/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n';

/** The files of alpha, where they belong. */
export function install(host: RealHost, target: Target, text: string): readonly RenderedFile[] {
  const { files } = renderedFor(target, text, 'alpha');
  for (const { path, text: content, mode } of files) host.write(`/${path}`, content, mode);
  return files;
}

/** What `everlan apply` would still do on the host. */
export function planned(host: RealHost, text: string): readonly string[] {
  const namespace = openNamespace(`/proc/${host.init}/ns/net`);
  const kernel = openKernel(namespace.fd);
  try {
    const { fabric } = parseFabricOrThrow(Buffer.from(text), 'fabric.yaml');
    const wanted = resolve(fabric, 'alpha', kernel.look().facts);
    const { plan } = lookAt(kernel, wanted, memoryStore(fabric.name));
    return [...plan.steps.map(explain), ...plan.conflicts.map(({ message }) => message)];
  } finally {
    kernel.close();
    namespace.close();
  }
}

export const hasLink = (host: RealHost): boolean => host.run('ip', 'link', 'show').includes('vxlan0');

/** alpha has what apply would make, and beta answers over it. */
export async function works(host: RealHost, text: string): Promise<void> {
  await until(() => host.run('ip', 'address', 'show').includes('169.254.0.1/24'));
  assert.deepEqual(planned(host, text), []);
  await until(() => host.succeeds('ping', '-q', '-c', '1', '-W', '1', '169.254.0.2'));
}
