/** What happens to the file while an agent keeps a host by it. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { type Agent, agentOn, agentsOn, LIMITS, type Site, site } from './support/agent.ts';
import { temporaryFolder } from './support/program.ts';

const FILE = `fabric: test
hosts: {alpha: 10.0.0.4, beta: 10.0.0.5}
overlays:
  vx0: {vni: 77, mtu: 1400, hosts: {alpha: 10.7.0.1/24, beta: 10.7.0.2/24}}
`;

const withMtu = ({ text }: Site, mtu: number): string => text.replace('mtu: 1400', `mtu: ${mtu}`);

const adopted = (agent: Agent, mtu: number): Promise<void> => agent.host.until(() => agent.host.mtu('vx0') === mtu);

/** How people and programs write files. */
const ways: readonly { readonly name: string; readonly write: (file: string, text: string) => void }[] = [
  { name: 'in place', write: writeFileSync },
  {
    name: 'as editors do: the old one becomes a copy, the new one is renamed',
    write: (file, text) => {
      renameSync(file, `${file}~`);
      writeFileSync(`${file}.swp`, text);
      renameSync(`${file}.swp`, file);
    },
  },
  {
    name: 'removed and written anew',
    write: (file, text) => {
      rmSync(file);
      writeFileSync(file, text);
    },
  },
];

for (const { name, write } of ways) {
  test(`a file that is written ${name}`, LIMITS, async (t) => {
    const at = site(t, FILE);
    const [alpha] = await agentsOn(at, 'alpha');
    const index = alpha.host.index('vx0');
    for (const mtu of [1300, 1350]) {
      write(alpha.file, withMtu(at, mtu));
      await adopted(alpha, mtu);
    }
    await alpha.sees(({ info, status }) => status?.converged === true && info.problems.length === 0);
    assert.equal(alpha.host.index('vx0'), index);
  });
}

test('a file behind a symbolic link that leads elsewhere from one moment to the next', LIMITS, async (t) => {
  const at = site(t, FILE);
  const folder = temporaryFolder(t);
  const deploy = (version: string, mtu: number): void => {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, 'fabric.yaml'), withMtu(at, mtu));
    symlinkSync(version, join(folder, 'new'));
    renameSync(join(folder, 'new'), join(folder, 'current'));
  };
  deploy('v1', 1400);
  symlinkSync('current/fabric.yaml', join(folder, 'fabric.yaml'));
  const alpha = agentOn(at, 'alpha', { file: join(folder, 'fabric.yaml') });
  await alpha.ready();
  for (const [version, mtu] of [
    ['v2', 1300],
    ['v3', 1350],
  ] as const) {
    deploy(version, mtu);
    await adopted(alpha, mtu);
  }
});

interface Wrong {
  readonly name: string;
  readonly spoil: (file: string, at: Site) => void;
  readonly says: RegExp;
}

const wrongs: readonly Wrong[] = [
  {
    name: 'has a mistake',
    spoil: (file, { text }) => writeFileSync(file, text.replace('vni: 77', 'vni: 0')),
    says: /fabric\.yaml:4:14: .*vni/,
  },
  {
    name: 'is cut',
    spoil: (file, { text }) => writeFileSync(file, text.slice(0, -30)),
    says: /fabric\.yaml:\d+:\d+: /,
  },
  { name: 'is empty', spoil: (file) => writeFileSync(file, ''), says: /fabric\.yaml/ },
  { name: 'is no text', spoil: (file) => writeFileSync(file, Buffer.from([0xff, 0xfe, 0])), says: /UTF-8/ },
  { name: 'is gone', spoil: (file) => rmSync(file), says: /fabric\.yaml/ },
  {
    name: 'is a folder',
    spoil: (file) => {
      rmSync(file);
      mkdirSync(file);
    },
    says: /fabric\.yaml/,
  },
  {
    name: 'has no such host any more',
    spoil: (file, { text }) => writeFileSync(file, text.replaceAll('alpha', 'omega')),
    says: /there is no host “alpha” in the fabric/,
  },
];

test(
  'a wrong file: told, the last good one stays in force and is healed by, until there is a better one',
  LIMITS,
  async (t) => {
    const at = site(t, FILE);
    const [alpha] = await agentsOn(at, 'alpha');
    const { host, file } = alpha;
    for (const { name, spoil, says } of wrongs) {
      await t.test(name, { timeout: 20_000 }, async () => {
        const index = host.index('vx0');
        spoil(file, at);
        const { info } = await alpha.sees(({ info }) => info.problems.length > 0);
        // One that is being written may be read half before.
        await alpha.said(new RegExp(`^what was in force stays in force: .*${says.source}`));
        assert.match(alpha.run('events', '-n', '5').out, /file +what was in force stays in force: /);
        assert.equal(info.fabric, at.fabric);
        assert.equal(host.index('vx0'), index);
        host.ip('link set vx0 mtu 1200');
        await alpha.said(/^link vx0: mtu is 1200, not 1400.*: put right/);
        rmSync(file, { recursive: true, force: true });
        alpha.write(at.text);
        await alpha.sees(({ info, status }) => info.problems.length === 0 && status?.converged === true);
        // Without a fight the next one begins anew.
        alpha.signal('SIGHUP');
        await alpha.notified.heard('READY=1');
        alpha.mark();
      });
    }
  },
);

for (const [how, spoil] of [
  ['broken', (file: string) => writeFileSync(file, 'fabric: [')],
  ['missing', (file: string) => rmSync(file)],
] as const) {
  test(`a file that is ${how} at boot: the last good one brings the overlay up`, LIMITS, async (t) => {
    const at = site(t, FILE);
    const [first] = await agentsOn(at, 'alpha');
    await first.stop();
    const { host, file } = first;
    // As after a boot: nothing of it is there.
    host.ip('link del vx0');
    rmSync(host.folder, { recursive: true });
    spoil(file);
    const again = agentOn(at, 'alpha', { like: first });
    await again.ready();
    assert.deepEqual(host.planned(at.text), []);
    await again.said(/^the last good file is in force, not .*fabric\.yaml: /);
    const { info } = await again.status();
    assert.equal(dirname(info.source), first.stateFolder);
    assert.ok(info.problems.length > 0);
    again.write(withMtu(at, 1300));
    await adopted(again, 1300);
    await again.sees(({ info }) => info.problems.length === 0 && info.source === file);
  });
}

function isHeard(agent: Agent, line: RegExp): boolean {
  return agent.notified.lines.some((each) => line.test(each));
}

test('SIGHUP: the file is read again, and systemd is told', LIMITS, async (t) => {
  const at = site(t, FILE);
  const [alpha] = await agentsOn(at, 'alpha');
  alpha.notified.lines.length = 0;
  alpha.signal('SIGHUP');
  await alpha.ready();
  assert.ok(isHeard(alpha, /^RELOADING=1$/) && isHeard(alpha, /^MONOTONIC_USEC=\d+$/));
  assert.ok(alpha.notified.lines.indexOf('RELOADING=1') < alpha.notified.lines.lastIndexOf('READY=1'));
  alpha.write(withMtu(at, 1300));
  alpha.signal('SIGHUP');
  await adopted(alpha, 1300);
  assert.equal(alpha.exitCode, null);
});

test('another fabric in the file: what the one of before had here goes', LIMITS, async (t) => {
  const at = site(t, FILE);
  const [alpha] = await agentsOn(at, 'alpha');
  const { host } = alpha;
  const other = at.text.replace(at.fabric, `${at.fabric}-b`).replace('vx0', 'vx9');
  alpha.write(other);
  await alpha.said(new RegExp(`^the file has no fabric ${at.fabric} any more: what it had here is removed$`));
  await host.until(() => host.index('vx9') !== null);
  assert.equal(host.index('vx0'), null);
});

test('an end by SIGTERM leaves the overlay, and nobody to be found', LIMITS, async (t) => {
  const at = site(t, FILE);
  const [alpha] = await agentsOn(at, 'alpha');
  assert.equal(await alpha.stop(), 0);
  assert.ok(isHeard(alpha, /^STOPPING=1$/));
  assert.deepEqual(alpha.host.planned(at.text), []);
  assert.ok(existsSync(alpha.host.folder));
  assert.equal(alpha.run('events').code, 1);
});
