/** The log on standard error: `LEVEL:message`, as networkd-dispatcher writes it. */

export const LEVELS = ['CRITICAL', 'ERROR', 'WARNING', 'INFO', 'DEBUG'] as const;
export type Level = (typeof LEVELS)[number];

/** syslog(3), for sd-daemon(3)'s `<N>` at the beginning of a line. */
const PRIORITY: Readonly<Record<Level, number>> = { CRITICAL: 2, ERROR: 3, WARNING: 4, INFO: 6, DEBUG: 7 };
const OUTPUT_PRIORITY = 6;

/** @param verbosity how often -v was given, less how often -q */
export function levelOf(verbosity: number): Level {
  return LEVELS[Math.max(0, Math.min(verbosity + 2, LEVELS.length - 1))] ?? 'WARNING';
}

export interface Sink {
  out(line: string): void;
  err(line: string): void;
  /** Whether standard output and standard error lead to the journal (JOURNAL_STREAM). */
  readonly outIsJournal: boolean;
  readonly errIsJournal: boolean;
}

export interface Log {
  readonly level: Level;
  critical(message: string): void;
  error(message: string): void;
  warning(message: string): void;
  info(message: string): void;
  debug(message: string): void;
  /** A line that a script printed. */
  output(script: string, line: string, stream: 'stdout' | 'stderr'): void;
}

/** A priority that the script itself put before its line, as it may when it writes to the journal. */
const PREFIXED = /^(<[0-7]>)(.*)$/s;

function outputLine(script: string, line: string, journal: boolean): string {
  if (!journal) return `${script}: ${line}`;
  const [, priority = `<${OUTPUT_PRIORITY}>`, text = line] = PREFIXED.exec(line) ?? [];
  return `${priority}${script}: ${text}`;
}

/** A line feed would begin a line that nobody wrote, and names of files may have one; others would drive a terminal. */
const plain = (text: string): string =>
  text.replace(/\p{Cc}/gu, (char) =>
    char === '\n' ? '\\n' : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );

export function openLog(level: Level, sink: Sink): Log {
  const say = (of: Level) => (message: string) => {
    if (LEVELS.indexOf(of) > LEVELS.indexOf(level)) return;
    sink.err(`${sink.errIsJournal ? `<${PRIORITY[of]}>` : ''}${of}:${plain(message)}`);
  };
  return {
    level,
    critical: say('CRITICAL'),
    error: say('ERROR'),
    warning: say('WARNING'),
    info: say('INFO'),
    debug: say('DEBUG'),
    output: (script, line, stream) => {
      if (stream === 'stdout') sink.out(outputLine(plain(script), line, sink.outIsJournal));
      else sink.err(outputLine(plain(script), line, sink.errIsJournal));
    },
  };
}
