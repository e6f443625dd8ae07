import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { hostileContexts, hostileHosts } from './hosts.testing.ts';
import { scriptText } from './script.ts';

/**
 * The underlay device is there. Of other links `ip -d` tells what the script is to go on with: a bridge that is not of the
 * fabric, which is joined.
 */
const LINKS = `
case $* in
  "-o link show dev "*) echo "2: x: <UP> mtu 1500 qdisc" ;;
  "-o -d link show dev "*"br"*) echo "3: br: <UP> mtu 1500 qdisc\\    bridge forward_delay\\    alias other" ;;
esac
`;

/** A folder with programs in the place of ip and bridge: they write down what they were given, each word with a NUL. */
function stage(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'everlan-script-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const program of ['ip', 'bridge', 'ethtool']) {
    const text = `#!/bin/sh\nprintf '%s\\0' "$@" >> "$LOG"\nprintf '\\n' >> "$LOG"\n${LINKS}`;
    writeFileSync(join(folder, program), text);
    chmodSync(join(folder, program), 0o755);
  }
  return folder;
}

test('whatever the names are, a script runs nothing but ip, bridge and ethtool, and gives them the names as they are', (t) => {
  const folder = stage(t);
  const script = join(folder, 'script');
  const log = join(folder, 'log');
  fc.assert(
    fc.property(hostileHosts, hostileContexts, (host, context) => {
      writeFileSync(script, scriptText(host, context));
      rmSync(log, { force: true });
      const env = { PATH: `${folder}:/usr/bin:/bin`, LOG: log };
      for (const word of ['up', 'status', 'down']) {
        const { stderr } = spawnSync('/bin/sh', [script, word], { env, cwd: folder, encoding: 'utf8' });
        assert.doesNotMatch(stderr, /Syntax error|not found|Bad substitution|\/script: /);
        assert.equal(existsSync(join(folder, 'hit')), false);
      }
      // Whole words: nothing was split, nothing expanded.
      const said = readFileSync(log, 'utf8');
      for (const [overlay, { bridge, ports }] of host.options) {
        const words = [
          `add\0name\0${overlay}\0`,
          `dev\0${host.device}\0`,
          `alias\0everlan:${host.desired.fabric}/${overlay}\0`,
        ];
        for (const port of ports) words.push(`master\0${bridge}\0`, `dev\0${port}\0`);
        for (const each of words) assert(said.includes(each), JSON.stringify([each, said]));
      }
    }),
    { numRuns: 60 },
  );
});

test('the same for the same input', () => {
  fc.assert(
    fc.property(hostileHosts, hostileContexts, (host, context) => {
      assert.equal(scriptText(host, context), scriptText(structuredClone(host), { ...context }));
    }),
    { numRuns: 20 },
  );
});
