/** `everlan version` */
import { release } from 'node:os';
import pkg from '../../../package.json' with { type: 'json' };
import { EXIT } from '../../model/problem.ts';
import type { Run } from '../command.ts';

export const run: Run = ({ io, options }) => {
  const versions = { version: pkg.version, node: process.versions.node, kernel: release() };
  if (options.json) io.out(JSON.stringify(versions));
  else io.out(`everlan ${versions.version} (Node ${versions.node}, Linux ${versions.kernel})`);
  return EXIT.done;
};
