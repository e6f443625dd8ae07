/** What the kernel refused, in its own words, and what to do about it where these do not tell. */
import type { StepFailure } from '../kernel/port.ts';
import { type Problem, problem } from '../model/problem.ts';
import type { Step } from '../model/step.ts';
import { explain } from '../plan/explain.ts';
import { errnoName } from '../sys/errno.ts';

interface Cure {
  readonly kind: Step['kind'] | 'any';
  /** As `errnoName` tells it: EOPNOTSUPP is ENOTSUP there, the same number on Linux. */
  readonly errno: string;
  /** Only on links of this kind. */
  readonly made?: 'vxlan' | 'bridge';
  readonly hint: string;
}

/** The first row that fits counts. */
const CURES: readonly Cure[] = [
  {
    kind: 'link',
    errno: 'ENOTSUP',
    made: 'vxlan',
    hint: 'this kernel has no VXLAN links: `modprobe vxlan`, or a kernel with CONFIG_VXLAN (y or m)',
  },
  {
    kind: 'link',
    errno: 'ENOTSUP',
    made: 'bridge',
    hint: 'this kernel has no bridges: `modprobe bridge`, or a kernel with CONFIG_BRIDGE (y or m)',
  },
  {
    kind: 'link',
    errno: 'EEXIST',
    made: 'vxlan',
    hint: 'a link that is not ours has this VNI and port: `ip -d link show type vxlan` shows it',
  },
  {
    kind: 'link',
    errno: 'EADDRINUSE',
    hint: 'a link with other receive flags (extensions, checksums, external) has this UDP port: choose another `port`',
  },
  { kind: 'route', errno: 'EEXIST', hint: 'somebody else has a route there: `ip route show` tells whose' },
  { kind: 'route', errno: 'ENETUNREACH', hint: '`via` must be reachable over the overlay' },
  {
    kind: 'any',
    errno: 'EPERM',
    hint: 'to change links, everlan needs CAP_NET_ADMIN in the user namespace that owns this network namespace: run as root',
  },
];

function madeKind(step: Step): string | null {
  return step.kind === 'link' && (step.action === 'add' || step.action === 'recreate') ? step.to.kind : null;
}

function cureOf(step: Step, errno: string): Cure | undefined {
  const fits = (row: Cure): boolean =>
    (row.kind === 'any' || row.kind === step.kind) &&
    row.errno === errno &&
    (row.made === undefined || row.made === madeKind(step));
  return CURES.find(fits);
}

/** One refused step, as a problem. */
export function refusal({ step, errno, message }: StepFailure): Problem {
  const cure = cureOf(step, errnoName(errno));
  const text = `${explain(step)}: the kernel says: ${message}`;
  return { ...problem('kernel-refused', text, cure === undefined ? {} : { hint: cure.hint }), link: step.link };
}
