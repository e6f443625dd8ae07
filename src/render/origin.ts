/** Where a file came from, for the comments at its top: the same for the same input, so without a time. */
import { oneLine } from './one-line.ts';
import type { RenderContext, RenderHost } from './target.ts';

/** A line each, without the sign of a comment. */
export function originOf({ desired }: RenderHost, { file, version }: RenderContext): readonly string[] {
  return [
    `Made by everlan ${version} from ${oneLine(file)}: fabric ${oneLine(desired.fabric)}, host ${oneLine(desired.host)}.`,
    'Change that file and render again: what is changed here is lost then.',
  ];
}
