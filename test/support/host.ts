/** A network namespace of a test's own, with an underlay device, deleted at the end whatever happens. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { openKernel } from '../../src/kernel/live.ts';
import type { Kernel } from '../../src/kernel/port.ts';
import type { HostState, LinkKind, LinkState } from '../../src/model/state.ts';
import { hasCapability } from '../../src/sys/caps.ts';
import { createNamespace, deleteNamespace, openNamespace } from '../../src/sys/netns.ts';

/** Why tests that need namespaces cannot run here; false: they can. */
export const needsRoot: string | false =
  hasCapability('CAP_NET_ADMIN') && hasCapability('CAP_SYS_ADMIN') ? false : 'needs root: it makes network namespaces';

export interface TestHost {
  readonly name: string;
  readonly fd: number;
  readonly kernel: Kernel;
  /** Runs `ip` in the namespace; one word for each argument, split at spaces. */
  ip(line: string): string;
  bridge(line: string): string;
  /** The links of the given names, as the kernel has them now. */
  state(fabric: string, wanted: Readonly<Record<string, LinkKind>>): HostState;
  link(name: string, fabric?: string): LinkState;
}

/** The underlay: a veth pair in the namespace itself, eth0 with 10.0.0.1/24 and fd00::1/64, its peer up. */
export function testHost(t: TestContext): TestHost {
  const name = `evtest-${process.pid}-${randomBytes(3).toString('hex')}`;
  createNamespace(name);
  const namespace = openNamespace(name);
  t.after(() => {
    kernel.close();
    namespace.close();
    deleteNamespace(name);
  });
  const tool = (program: string) => (line: string) =>
    execFileSync(program, ['-n', name, ...line.split(' ')], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const ip = tool('ip');
  const kernel = openKernel(namespace.fd);
  for (const line of [
    'link set lo up',
    'link add eth0 type veth peer name far0',
    'addr add 10.0.0.1/24 dev eth0',
    'addr add fd00::1/64 dev eth0 nodad',
    'link set eth0 up',
    'link set far0 up',
  ]) {
    ip(line);
  }
  const state = (fabric: string, wanted: Readonly<Record<string, LinkKind>>): HostState =>
    kernel.look().state({ fabric, wanted: new Map(Object.entries(wanted)) });
  return {
    name,
    fd: namespace.fd,
    kernel,
    ip,
    bridge: tool('bridge'),
    state,
    link: (link, fabric = 'test') => {
      const found = state(fabric, { [link]: 'vxlan' }).links.get(link);
      if (found === undefined) throw new Error(`no link ${link}`);
      return found;
    },
  };
}
