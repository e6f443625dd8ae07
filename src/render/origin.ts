/** Where a file came from, for the comments at its top: the same for the same input, so without a time. */
import { oneLine } from './one-line.ts';
import type { RenderContext, RenderHost } from './target.ts';

function lines(whom: string, { file, version }: RenderContext): readonly string[] {
  return [
    `Made by everlan ${version} from ${oneLine(file)}: ${oneLine(whom)}.`,
    'Change that file and render again: what is changed here is lost then.',
  ];
}

/** A line each, without the sign of a comment. */
export function originOf({ desired }: RenderHost, context: RenderContext): readonly string[] {
  return lines(`fabric ${desired.fabric}, host ${desired.host}`, context);
}

/** The same for a file that is for every host. */
export function originOfAll(fabric: string, context: RenderContext): readonly string[] {
  return lines(`fabric ${fabric}, for all its hosts`, context);
}
