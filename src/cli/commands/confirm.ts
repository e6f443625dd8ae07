/** `everlan confirm` */
import { confirm } from '../../apply/guard.ts';
import { EXIT } from '../../model/problem.ts';
import { checkRights } from '../change.ts';
import type { Run } from '../command.ts';
import { fabricName } from '../fabric-name.ts';
import { openPlace } from '../session.ts';

export const run: Run = async (context) => {
  const { io, options } = context;
  const fabric = fabricName(context);
  checkRights();
  const place = openPlace(context, fabric);
  try {
    // A guard that undoes it right now has the lock: then there is nothing left to confirm.
    const lock = await place.store.lock('everlan confirm');
    try {
      confirm(place.store);
    } finally {
      lock.release();
    }
  } finally {
    place.close();
  }
  if (options.json) io.out(JSON.stringify({ version: 1, fabric, confirmed: true }));
  else if (!options.quiet) io.out(`${fabric}: confirmed`);
  return EXIT.done;
};
