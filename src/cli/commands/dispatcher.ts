/** `everlan dispatcher`, and `networkd-dispatcher` */
import { runDispatcher } from '../../dispatcher/main.ts';
import { leadsToJournal } from '../../sys/journal-stream.ts';
import { notify } from '../../sys/notify.ts';
import type { Run } from '../command.ts';

export const run: Run = ({ args, io }) => {
  const environment = { ...process.env };
  const socket = environment.NOTIFY_SOCKET;
  return runDispatcher(args, {
    environment,
    sink: {
      out: (line) => io.out(line),
      err: (line) => io.err(line),
      outIsJournal: leadsToJournal(1, environment),
      errIsJournal: leadsToJournal(2, environment),
    },
    notify: (state) => {
      if (socket) notify(socket, state);
    },
    onSignal: (handler) => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => handler('stop'));
      process.on('SIGHUP', () => handler('reload'));
    },
  });
};
