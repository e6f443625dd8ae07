/** Problems of a host: they have no place in the file. */
import { type Problem, problem } from '../model/problem.ts';
import type { ErrorRow } from '../text/errors.ts';
import { type Code, ERRORS } from './errors.ts';

/** `hint` takes the place of the catalogue's. */
export function hostProblem(code: Code, message: string, hint?: string): Problem {
  const row: ErrorRow = ERRORS[code];
  const advice = hint ?? row.hint;
  return problem(code, message, advice === undefined ? {} : { hint: advice });
}
