/** `everlan confirm` */
import { confirm } from '../../apply/guard.ts';
import { EXIT } from '../../model/problem.ts';
import { byAgentOr } from '../change.ts';
import type { Run } from '../command.ts';
import { fabricName } from '../fabric-name.ts';
import { openPlace, type Place } from '../session.ts';

/** Where no agent keeps the fabric. */
async function confirmHere({ store }: Place): Promise<void> {
  // A guard that undoes it right now has the lock: then there is nothing left to confirm.
  const lock = await store.lock('everlan confirm');
  try {
    confirm(store);
  } finally {
    lock.release();
  }
}

export const run: Run = async (context) => {
  const { io, options } = context;
  const fabric = fabricName(context);
  const place = openPlace(context, fabric);
  try {
    await byAgentOr(
      place,
      (agent) => agent.confirm(),
      () => confirmHere(place),
    );
  } finally {
    place.close();
  }
  if (options.json) io.out(JSON.stringify({ version: 1, fabric, confirmed: true }));
  else if (!options.quiet) io.out(`${fabric}: confirmed`);
  return EXIT.done;
};
