/** `everlan guard`: started by `apply --confirm`, told by nobody but the store. */
import { guard } from '../../apply/guard.ts';
import { EXIT } from '../../model/problem.ts';
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
    return left === null || left.length === 0 ? EXIT.done : EXIT.failed;
  } finally {
    place.close();
  }
};
