/** Which netplan files the real netplan takes, beside what the import says of them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { filesOf, NETPLAN_CASES } from '../src/import/netplan.cases.testing.ts';
import { importer } from '../src/import/netplan.ts';

/** What `netplan generate` runs, without the start of Python. */
const GENERATE = ['/usr/libexec/netplan/generate', '/lib/netplan/generate'].find((path) => existsSync(path));
const needsNetplan: string | false = GENERATE === undefined ? 'needs netplan: package netplan.io' : false;

function generate(t: TestContext, files: Readonly<Record<string, string>>): { taken: boolean; said: string } {
  const root = mkdtempSync(join(tmpdir(), 'evtest-netplan-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'etc/netplan'), { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, 'etc/netplan', name);
    writeFileSync(path, text);
    chmodSync(path, 0o600);
  }
  const { status, stdout, stderr } = spawnSync(GENERATE ?? '', ['--root-dir', root], { encoding: 'utf8' });
  return { taken: status === 0, said: stdout + stderr };
}

for (const row of NETPLAN_CASES) {
  test(`netplan generate: ${row.name}`, { skip: needsNetplan }, (t) => {
    const files = filesOf(row.in);
    const { taken, said } = generate(t, files);
    assert.equal(taken, row.netplan, said);
    const sources = Object.entries(files).map(([path, text]) => ({ path, text }));
    const wrong = importer.read(sources, () => []).problems.some(({ severity }) => severity === 'error');
    if (!taken) assert.ok(wrong, `netplan refuses it, and the import says nothing: ${said}`);
  });
}
