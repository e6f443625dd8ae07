/** The last good file on a disk that is full, and on one that may not be written: as the agent meets them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { needsRoot } from './support/host.ts';
import { temporaryFolder } from './support/program.ts';

const CODE = join(import.meta.dirname, '..', 'src', 'agent', 'last-good.ts');

/** Prints the problems of three attempts, then what is known at the end. */
const PROGRAM = `
import { openLastGood } from ${JSON.stringify(CODE)};
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
const [folder, spoil] = process.argv.slice(1);
const good = openLastGood('/etc/everlan/fabric.yaml', folder + '/state');
const told = [good.keep('one')];
execFileSync('sh', ['-c', spoil, 'sh', folder]);
told.push(good.keep('x'.repeat(100_000)), good.markUnconfirmed('y'));
const names = readdirSync(folder + '/state');
console.log(JSON.stringify({ told, load: good.load()?.text, isUnconfirmed: good.isUnconfirmed('y'), names }));
`;

const MOUNT = 'mount -t tmpfs -o size=64k,mode=755 none "$1" && shift && exec "$@"';

const cases: readonly { name: string; spoil: string; why: RegExp }[] = [
  { name: 'a full disk', spoil: 'cat /dev/zero > "$1/filler" 2> /dev/null || true', why: /ENOSPC/ },
  { name: 'a read-only disk', spoil: 'mount -o remount,ro "$1"', why: /EROFS/ },
];

for (const { name, spoil, why } of cases) {
  test(name, { skip: needsRoot }, (t) => {
    const folder = temporaryFolder(t);
    const node = [process.execPath, '--input-type=module', '-e', PROGRAM, folder, spoil];
    const args = ['--mount', '--propagation', 'private', 'sh', '-c', MOUNT, 'sh', folder, ...node];
    const { status, stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const { told, load, isUnconfirmed, names } = JSON.parse(stdout);
    assert.equal(told[0], null);
    for (const problem of told.slice(1)) assert.match(problem.message, why);
    assert.deepEqual({ load, isUnconfirmed }, { load: 'one', isUnconfirmed: true });
    assert.deepEqual(names, ['fabric.yaml']);
  });
}
