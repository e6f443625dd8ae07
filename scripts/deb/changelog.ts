/** packaging/changelog, of the form that deb-changelog(5) tells. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const CHANGELOG = join(import.meta.dirname, '..', '..', 'packaging', 'changelog');

export interface Newest {
  readonly version: string;
  /** Since the epoch. */
  readonly seconds: number;
}

/** Its newest entry. */
export function readChangelog(text: string = readFileSync(CHANGELOG, 'utf8')): Newest {
  const version = /^everlan \(([^)]+)\)/.exec(text)?.[1];
  const date = /^ -- .*> {2}(.*)$/m.exec(text)?.[1];
  const milliseconds = Date.parse(date ?? '');
  if (version === undefined || Number.isNaN(milliseconds)) throw new Error(`${CHANGELOG}: no version or no date`);
  return { version, seconds: milliseconds / 1000 };
}
