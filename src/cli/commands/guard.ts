/** `everlan guard`: started by `apply --confirm`, told by nobody but the store. */
import { guard } from '../../apply/guard.ts';
import { EverlanError, EXIT } from '../../model/problem.ts';
import type { Run } from '../command.ts';
import { wrongUse } from '../options.ts';
import { openPlace } from '../session.ts';

export const run: Run = async (context) => {
  const fabric = context.options.text('fabric');
  const token = context.options.text('token');
  if (fabric === undefined || token === undefined) throw wrongUse('the guard needs --fabric and --token');
  const place = openPlace(context, fabric);
  try {
    const left = await guard(place.kernel, place.store, token);
    // Where a service manager started us, it keeps what we say.
    if (left !== null && left.length > 0) throw new EverlanError(left);
    return EXIT.done;
  } finally {
    place.close();
  }
};
