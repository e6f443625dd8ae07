/** `everlan dispatcher`, and `networkd-dispatcher` */
import { fstatSync } from 'node:fs';
import { runDispatcher } from '../../dispatcher/main.ts';
import { notify } from '../../sys/notify.ts';
import type { Run } from '../command.ts';

/** Whether a descriptor is the stream to the journal that systemd has opened for us (systemd.exec(5)). */
function isJournal(fd: number, stream: string | undefined): boolean {
  if (stream === undefined) return false;
  const { dev, ino } = fstatSync(fd);
  return stream === `${dev}:${ino}`;
}

export const run: Run = ({ args, io }) => {
  const environment = { ...process.env };
  const socket = environment.NOTIFY_SOCKET;
  const stream = environment.JOURNAL_STREAM;
  return runDispatcher(args, {
    environment,
    sink: {
      out: (line) => io.out(line),
      err: (line) => io.err(line),
      outIsJournal: isJournal(1, stream),
      errIsJournal: isJournal(2, stream),
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
