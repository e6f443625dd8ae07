/** The network namespace of --netns. */
import { hasCode } from '../sys/errno.ts';
import { type Namespace, openNamespace } from '../sys/netns.ts';
import { wrongUse } from './options.ts';

/** undefined for our own. @throws EverlanError, exit 2, when there is none such. */
export function namespaceOf(netns: string | undefined): Namespace | undefined {
  if (netns === undefined) return undefined;
  try {
    return openNamespace(netns);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) {
      throw wrongUse(`there is no network namespace “${netns}”`, '`ip netns` lists them');
    }
    if (hasCode(error, 'EINVAL')) throw wrongUse(`“${netns}” cannot be the name of a network namespace`);
    throw error;
  }
}
