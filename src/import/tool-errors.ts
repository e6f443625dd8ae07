/** Rows of the catalogue for what is wrong with the files of other tools, or means nothing to everlan. */
import type { ErrorRow } from '../text/errors.ts';

const error = (text: string): ErrorRow => ({ severity: 'error', text });
const warning = (text: string): ErrorRow => ({ severity: 'warning', text });

export const TOOL_ERRORS = {
  'source-syntax': error('Text that its language has no meaning for, such as a quotation mark that is not closed.'),
  'source-key': error('A key that the tool does not know: it refuses the file, or reads past the key.'),
  'source-value': error('A value that the tool does not take for its key.'),
  'source-missing': error('Something that the tool needs is not there.'),
  'source-reference': error('A name that nothing in the files has.'),
  'source-conflict': error('Two things that do not go together.'),
  'source-accepted': error(
    'The tool takes it without a word, and the link is then another one than the file says, or is not made at all.',
  ),
  'source-left-out': warning('Something that everlan has no words for. It is left out of the fabric.'),
  'source-guessed': warning('Something that the files do not tell had to be assumed.'),
} as const satisfies Record<string, ErrorRow>;

export type ToolCode = keyof typeof TOOL_ERRORS;
