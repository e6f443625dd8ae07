/** What the commands of `lab` have in common. */
import { type LabSource, labOf } from '../lab/lab.ts';
import type { Context } from './command.ts';
import type { Options } from './options.ts';
import { readInput } from './read-input.ts';

export function labSource({ file }: Options): LabSource {
  const { bytes, name } = readInput(file);
  return { text: bytes, file: name };
}

/** The fabric whose lab is meant: that of -f, or the only one that is up. @throws EverlanError */
export function labName({ options }: Context): string {
  return labOf(options.text('file') === undefined ? undefined : labSource(options));
}
