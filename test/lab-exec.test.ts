/** `lab exec` as a program: exit codes, signals, input and output; and labs that were killed half-way. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { labDown, labReboot, labUp } from '../src/lab/lab.ts';
import {
  codeOf,
  downIfUp,
  example,
  needsRoot,
  nobody,
  skipAsNobody,
  sourceOf,
  sweep,
  traces,
  uniqueName,
} from './lab.testing.ts';

const child = fileURLToPath(new URL('lab.child.ts', import.meta.url));

/** Resolves at the child's first output. */
async function started(
  ...args: string[]
): Promise<{ child: ChildProcess; output: () => string; exit: Promise<unknown[]> }> {
  const made = spawn(process.execPath, [child, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  made.stdout.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  const exit = once(made, 'exit');
  await once(made.stdout, 'data');
  return { child: made, output: () => text, exit };
}

describe('lab exec', { skip: needsRoot }, () => {
  const name = uniqueName();
  before(async () => {
    await sweep();
    await labUp(sourceOf(example('article.yaml'), name));
  });
  after(() => downIfUp(name));

  const run = (...argv: string[]) => {
    const done = spawnSync(process.execPath, [child, 'exec', name, 'alpha', ...argv], {
      encoding: 'utf8',
      input: 'given\n',
    });
    return { code: done.status, out: done.stdout.replace(/^ready\n/, '') };
  };

  const cases = [
    { name: 'success', in: ['true'], want: { code: 0, out: '' } },
    { name: 'the exit code', in: ['sh', '-c', 'exit 7'], want: { code: 7, out: '' } },
    { name: 'a signal that ends it', in: ['sh', '-c', 'kill -TERM $$'], want: { code: 143, out: '' } },
    { name: 'standard input', in: ['cat'], want: { code: 0, out: 'given\n' } },
    {
      name: 'arguments as they are',
      in: ['printf', '%s|', '-x', '--', 'a b', ''],
      want: { code: 0, out: '-x|--|a b||' },
    },
    {
      name: 'no such program',
      in: ['everlan-has-no-such-program'],
      want: {
        code: 1,
        out: 'not-started: everlan-has-no-such-program could not be started: no such file or directory\n',
      },
    },
    {
      name: 'a hyphen is no option',
      in: ['--version'],
      want: { code: 1, out: 'not-started: --version could not be started: no such file or directory\n' },
    },
  ];
  for (const { name: what, in: argv, want } of cases) test(what, () => assert.deepEqual(run(...argv), want));

  test('a host that is not there', () => {
    const done = spawnSync(process.execPath, [child, 'exec', name, 'gamma', 'true'], { encoding: 'utf8' });
    assert.deepEqual(
      [done.status, done.stdout],
      [2, `ready\nhost-not-in-lab: there is no host “gamma” in the lab ${name}\n`],
    );
  });

  test('it runs in the host’s namespace, and only there', () => {
    const { out } = run('readlink', '/proc/self/ns/net');
    assert.match(out, /^net:\[\d+\]\n$/);
    assert.notEqual(out.trim(), readlinkSync('/proc/self/ns/net'));
    const links = run('cat', '/proc/net/dev').out;
    assert.match(links, /vxlan0:/);
  });

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    test(`${signal} reaches the program`, async () => {
      const script = `trap 'echo got it; exit 9' ${signal.slice(3)}; echo waiting; for i in $(seq 400); do sleep 0.05; done`;
      const { child: made, output, exit } = await started('exec', name, 'alpha', 'sh', '-c', script);
      while (!output().includes('waiting')) await sleep(5);
      made.kill(signal);
      assert.deepEqual(await exit, [9, null]);
      assert.match(output(), /got it/);
    });
  }
});

describe('labs that are killed half-way', { skip: needsRoot }, () => {
  before(sweep);

  for (const delay of [0, 5, 10, 15, 20, 30, 45, 70, 120]) {
    test(`${delay} ms after the start: down leaves nothing`, async () => {
      const name = uniqueName();
      const { child: made, exit } = await started('up', name, 'three-hosts.yaml');
      await sleep(delay);
      made.kill('SIGKILL');
      await exit;
      try {
        await labDown(name);
      } catch (error) {
        // Killed before it began, so there is nothing to take down.
        assert.equal(codeOf(error), 'no-lab');
      }
      assert.deepEqual(traces(name), []);
    });
  }

  for (const delay of [5, 20, 40]) {
    test(`${delay} ms after the start: up takes the rest away by itself`, async () => {
      const name = uniqueName();
      const { child: made, exit, output } = await started('up', name, 'article.yaml');
      await sleep(delay);
      made.kill('SIGKILL');
      await exit;
      try {
        await labUp(sourceOf(example('article.yaml'), name));
      } catch (error) {
        // It was quicker than we were.
        assert.equal(codeOf(error), 'lab-is-up', output());
      }
      await labDown(name);
      assert.deepEqual(traces(name), []);
    });
  }
});

describe('reboots that are killed half-way', { skip: needsRoot }, () => {
  for (const delay of [0, 3, 6, 10, 20, 40]) {
    test(`${delay} ms after the start: another reboot mends it, and down leaves nothing`, async () => {
      const name = uniqueName();
      await labUp(sourceOf(example('bridged-lan.yaml'), name));
      const { child: made, exit } = await started('reboot', name, 'east');
      await sleep(delay);
      made.kill('SIGKILL');
      await exit;
      if (delay % 2 === 0) assert.equal((await labReboot(name, 'east')).ok, true);
      assert.deepEqual((await labDown(name)).left, []);
      assert.deepEqual(traces(name), []);
    });
  }
});

test('a user without the capabilities is told which one is missing, and of the demo', { skip: skipAsNobody() }, () => {
  const name = uniqueName();
  const done = spawnSync('setpriv', [...nobody, process.execPath, child, 'up', name, 'article.yaml'], {
    encoding: 'utf8',
  });
  assert.deepEqual(
    [done.status, done.stdout],
    [1, 'ready\nlab-needs-root: a lab needs CAP_SYS_ADMIN, to make network namespaces\n'],
  );
  assert.deepEqual(traces(name), []);
});
