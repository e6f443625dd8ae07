/** `everlan lab up` */
import { labUp } from '../../lab/lab.ts';
import type { Run } from '../command.ts';
import { labSource } from '../lab-context.ts';
import { labProgress, showLab } from '../lab-text.ts';
import { counted } from '../text.ts';

export const run: Run = async (context) => {
  const report = await labUp(labSource(context.options), { progress: labProgress(context) });
  return showLab(context, report, `${counted(report.topology.hosts.length, 'host')} up`);
};
