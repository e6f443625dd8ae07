/** `everlan lab reboot` */
import { labReboot } from '../../lab/lab.ts';
import type { Run } from '../command.ts';
import { labName } from '../lab-context.ts';
import { labProgress, showLab } from '../lab-text.ts';

export const run: Run = async (context) => {
  const [host = ''] = context.args;
  const report = await labReboot(labName(context), host, { progress: labProgress(context) });
  return showLab(context, report, `${host} is back`);
};
