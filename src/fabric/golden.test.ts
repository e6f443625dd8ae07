/** test/golden/parse: NAME.yaml → NAME.txt. `UPDATE_GOLDEN=1` writes the expected texts anew; read the difference. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { renderAll } from '../text/render.ts';
import { ERROR_GROUPS } from './errors.ts';
import { parseFabric } from './parse.ts';

const FOLDER = new URL('../../test/golden/parse/', import.meta.url);
const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.yaml'))
  .sort();

function outcome(file: string): { said: string; codes: string[] } {
  const result = parseFabric(readFileSync(new URL(file, FOLDER)), file);
  const problems = result.ok ? result.warnings : result.problems;
  const verdict = result.ok ? 'accepted' : 'refused';
  const said = [verdict, renderAll(problems)].filter((part) => part !== '').join('\n\n');
  return { said: `${said}\n`, codes: problems.map(({ code }) => code) };
}

for (const file of names) {
  test(`parse ${file}`, () => {
    const expected = new URL(file.replace(/yaml$/, 'txt'), FOLDER);
    const { said } = outcome(file);
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(expected, said);
    assert.equal(said, readFileSync(expected, 'utf8'));
  });
}

test('no expected text is left without its file', () => {
  const texts = readdirSync(FOLDER).filter((file) => file.endsWith('.txt'));
  assert.deepEqual(
    texts.filter((file) => !names.includes(file.replace(/txt$/, 'yaml'))),
    [],
  );
});

test('every row of the catalogue about the content of a file has a case, and nothing else is said', () => {
  const said = new Set(names.flatMap((file) => outcome(file).codes));
  const elsewhere = new Set(['The host', 'The file as text', 'Other tools']);
  const content = ERROR_GROUPS.filter(({ title }) => !elsewhere.has(title));
  const rows = content.flatMap(({ rows }) => Object.keys(rows));
  assert.deepEqual(
    rows.filter((code) => !said.has(code)),
    [],
  );
  const known = new Set(ERROR_GROUPS.flatMap(({ rows }) => Object.keys(rows)));
  assert.deepEqual(
    [...said].filter((code) => !known.has(code)),
    [],
  );
});
