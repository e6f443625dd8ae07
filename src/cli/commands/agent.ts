/** `everlan agent` */
import { resolve } from 'node:path';
import { runAgent } from '../../agent/main.ts';
import type { Run } from '../command.ts';
import { wrongUse } from '../options.ts';

export const run: Run = ({ options }) => {
  const { file, host, netns } = options;
  if (file === '-') throw wrongUse('the agent needs a file that it can read again, not standard input');
  return runAgent({ file: resolve(file), host, netns });
};
