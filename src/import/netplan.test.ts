import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem } from '../model/problem.ts';
import { filesOf, NETPLAN_CASES } from './netplan.cases.testing.ts';
import { importer } from './netplan.ts';

function read(files: Readonly<Record<string, string>>) {
  return importer.read(
    Object.entries(files).map(([path, text]) => ({ path, text })),
    () => [],
  );
}

/** `code line:column marked text`. */
export function shown({ code, place }: Problem): string {
  if (place === undefined) return code;
  const marked = [...place.text].slice(place.column - 1, place.column - 1 + place.length).join('');
  return `${code} ${place.line}:${place.column} ${marked}`.trimEnd();
}

for (const row of NETPLAN_CASES) {
  test(`netplan: ${row.name}`, () => {
    assert.deepEqual(read(filesOf(row.in)).problems.map(shown), row.want);
  });
}
