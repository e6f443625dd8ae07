import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { COMMANDS, isGroup } from '../src/cli/table.ts';
import { OPTION_ROWS } from '../src/dispatcher/options.ts';
import { OPTION_NAMES } from '../src/model/options.ts';
import { manPages } from './man.ts';

const groff = spawnSync('groff', ['--version']).status === 0 ? false : 'needs groff: package groff-base';

/** As a person reads it. */
function shown(text: string, ...options: string[]): { out: string; err: string } {
  const { stdout, stderr } = spawnSync('groff', ['-man', '-Tutf8', '-rLL=200n', '-P-cbou', ...options], {
    input: text,
    encoding: 'utf8',
  });
  return { out: stdout, err: stderr };
}

const WORDS: Readonly<Record<string, readonly string[]>> = {
  everlan: COMMANDS.flatMap((row) => {
    if (isGroup(row)) return row.commands.map(({ name }) => `everlan ${row.name} ${name}`);
    return row.hidden === true ? [] : [`everlan ${row.name}`];
  }),
  'fabric.yaml': [...OPTION_NAMES, 'vni: 77', 'underlay'],
  'everlan-agent': ['SIGHUP', 'everlan.service', '/var/lib/everlan'],
  'networkd-dispatcher': [...OPTION_ROWS.map(({ long }) => `--${long}`), 'routable', 'IP6_ADDRS'],
};

for (const { name, section, text } of manPages()) {
  test(`${name}(${section}): groff has nothing to complain of, and everything is there`, { skip: groff }, () => {
    const { out, err } = shown(text, '-ww', '-b');
    assert.equal(err, '');
    const lines = out.replaceAll('‐', '-');
    for (const word of WORDS[name] ?? []) assert.ok(lines.includes(word), `${word} is missing in:\n${out}`);
    assert.ok((WORDS[name] ?? []).length > 0, 'nothing is looked for');
    assert.doesNotMatch(lines, /\\f|\\\(/, 'markup is left');
  });
}
