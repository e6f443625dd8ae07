/**
 * A reporter for `node --test`: a line for each file, each failure in full, each skipped test with its reason, and
 * Node's own closing counts. Reads the same in a terminal, a pipe and a log.
 */
import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

interface Counts {
  passed: number;
  failed: number;
  readonly skipped: string[];
}

const shown = (file: string | undefined): string => (file === undefined ? '' : relative(process.cwd(), file));

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '    ');
}

/** The file's own test, which Node reports when a file ends, is no test of ours unless it failed. */
function isFile(name: string, file: string | undefined): boolean {
  return file !== undefined && (name === file || name === shown(file));
}

/** What a person needs of an error: the test runner's own wrapping says nothing. */
function explain(error: Error): string {
  const { cause } = error;
  if (cause instanceof Error) return cause.stack === undefined ? inspect(cause) : inspect(cause, { depth: 6 });
  return cause === undefined ? inspect(error) : String(cause);
}

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const files = new Map<string, Counts>();
  const counts = (file: string | undefined): Counts => {
    const key = shown(file);
    const known = files.get(key) ?? { passed: 0, failed: 0, skipped: [] };
    files.set(key, known);
    return known;
  };
  for await (const event of events) {
    switch (event.type) {
      case 'test:pass': {
        const { name, file, skip, todo } = event.data;
        if (isFile(name, file) || event.data.details.type === 'suite') break;
        if (skip !== undefined && skip !== false) {
          counts(file).skipped.push(`${name}: ${typeof skip === 'string' ? skip : 'WITHOUT A REASON'}`);
        } else if (todo === undefined || todo === false) counts(file).passed++;
        break;
      }
      case 'test:fail': {
        const { name, file, line, column, details } = event.data;
        // A parent that fails only because of its subtests says nothing new.
        if ('failureType' in details.error && details.error.failureType === 'subtestsFailed') break;
        counts(file).failed++;
        const place = line === undefined || isFile(name, file) ? shown(file) : `${shown(file)}:${line}:${column}`;
        yield `FAILED ${name} (${place})\n${indent(explain(details.error))}\n`;
        break;
      }
      case 'test:summary': {
        const { file, duration_ms: took } = event.data;
        if (file === undefined) break;
        const { passed, failed, skipped } = counts(file);
        const words = [`${passed} passed`];
        if (failed > 0) words.push(`${failed} FAILED`);
        if (skipped.length > 0) words.push(`${skipped.length} skipped`);
        yield `${failed > 0 ? 'not ok' : 'ok'} ${shown(file)}: ${words.join(', ')} (${(took / 1000).toFixed(1)} s)\n`;
        for (const reason of skipped) yield `    skipped ${reason}\n`;
        break;
      }
      case 'test:diagnostic':
        // The closing counts; what tests say themselves has a file.
        if (event.data.nesting === 0 && event.data.file === undefined) yield `# ${event.data.message}\n`;
        break;
      case 'test:stdout':
      case 'test:stderr':
        yield event.data.message;
        break;
      default:
        break;
    }
  }
}
