/** `everlan guard`: started by `apply --confirm`, told by nobody but the store. */
import { findAgent } from '../../agent/client.ts';
import { guard, type Reverter } from '../../apply/guard.ts';
import type { Store } from '../../apply/store.ts';
import { EverlanError, EXIT } from '../../model/problem.ts';
import type { Run } from '../command.ts';
import { wrongUse } from '../options.ts';
import { openPlace } from '../session.ts';

/** An agent that cannot be asked, or that fails, leaves it to us: whatever the reason, it must be undone. */
function byAgent({ folder, fabric }: Store): Reverter {
  return async (token) => {
    try {
      const agent = await findAgent(folder, { fabric });
      if (agent === null) return null;
      try {
        return await agent.revert(token);
      } finally {
        agent.close();
      }
    } catch {
      return null;
    }
  };
}

export const run: Run = async (context) => {
  const fabric = context.options.text('fabric');
  const token = context.options.text('token');
  if (fabric === undefined || token === undefined) throw wrongUse('the guard needs --fabric and --token');
  const place = openPlace(context, fabric);
  try {
    const left = await guard(place.kernel, place.store, token, byAgent(place.store));
    // Where a service manager started us, it keeps what we say.
    if (left !== null && left.length > 0) throw new EverlanError(left);
    return EXIT.done;
  } finally {
    place.close();
  }
};
