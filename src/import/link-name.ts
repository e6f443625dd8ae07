/** Names that a tool takes and no link can have. */
import { LINK_NAME } from '../model/link-name.ts';
import type { Place } from '../model/problem.ts';
import { quote } from '../text/words.ts';
import type { Report } from './report.ts';

export function checkName(name: string, place: Place, report: Report): void {
  if (LINK_NAME.test(name)) return;
  const bytes = Buffer.byteLength(name);
  const why = bytes > 15 ? `it has ${bytes} bytes, and a link’s name has at most 15` : 'no link can have such a name';
  report.add('source-accepted', place, `the name ${quote(name)} is not taken: ${why}`);
}
