/** Hosts of tests leave no process behind, also when the test itself is killed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { needsBus } from './support/bus.ts';
import { needsNetworkd } from './support/networkd.ts';
import { ended, firstLine } from './support/process.ts';

/** The process and all that it started, and they. */
function family(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const found = [pid];
  for (const each of found) for (const [child, parent] of parents) if (parent === each) found.push(child);
  return found;
}

const alive = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return existsSync(`/proc/${pid}`);
  }
};

const CASES: readonly { name: string; skip: string | false; file: string; make: string; least: number }[] = [
  { name: 'a host with networkd', skip: needsNetworkd, file: 'networkd.ts', make: 'networkdHost', least: 7 },
  { name: 'a bus', skip: needsBus, file: 'bus.ts', make: 'privateBus', least: 2 },
];

for (const { name, skip, file, make, least } of CASES) {
  test(`killed: ${name}`, { skip }, async () => {
    const path = join(import.meta.dirname, 'support', file);
    const script = `const { ${make} } = await import(process.argv[1]);
      await ${make}({ after() {} });
      console.log('ready');
      setInterval(() => {}, 1e6);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await firstLine(child);
    const all = family(child.pid ?? 0);
    assert.ok(all.length >= least, `${all.length} processes`);
    child.kill('SIGKILL');
    await ended(child);
    while (all.some(alive)) await wait(10);
  });
}
