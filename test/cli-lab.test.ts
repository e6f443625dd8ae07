/** The commands of `lab`, and `check` where packets cross. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { namespaceExists } from '../src/sys/netns.ts';
import { needsRoot } from './support/host.ts';
import { everlan, type Ran, temporaryFile } from './support/program.ts';

const skip = needsRoot;

interface Lab {
  readonly fabric: string;
  readonly file: string;
  lab(command: string, ...args: readonly string[]): Ran;
  /** A command of the program on a host. */
  on(host: string, ...args: readonly string[]): Ran;
}

function lab(t: TestContext): Lab {
  const fabric = `clilab-${process.pid}`;
  const text = `fabric: ${fabric}
hosts: {alpha: 10.0.0.4, beta: 10.10.0.4}
overlays:
  vxlan0: {vni: 77, hosts: {alpha: 169.254.0.1/24, beta: [169.254.0.2/24, "fd00:77::2/64"]}}
`;
  // Registered first, so that it runs while the file is still there.
  t.after(() => {
    everlan(['lab', 'down', '-f', file]);
    assert(!namespaceExists(`${fabric}-alpha`), 'the lab is gone');
  });
  const file = temporaryFile(t, text);
  return {
    fabric,
    file,
    lab: (command, ...args) => everlan(['lab', command, '-f', file, ...args]),
    on: (host, ...args) => everlan([...args, '-f', file, '--host', host, '--netns', `${fabric}-${host}`]),
  };
}

test('up, check, exec, reboot, down', { skip }, (t) => {
  const { fabric, lab: run, on } = lab(t);
  const up = run('up');
  assert.equal(up.code, 0, up.err);
  assert.match(up.out, new RegExp(`^lab ${fabric}, 2 hosts up: every peer answers\n`));
  assert.match(up.out, /^alpha +vxlan0 +beta +169\.254\.0\.2 +\d+\.\d\d ms +\d+\.\d\d ms \(1450 bytes\)$/m);
  assert.match(up.out, /^alpha +vxlan0 +beta +fd00:77::2 +- +not asked: this host has no IPv6 address/m);

  const check = on('alpha', 'check');
  assert.equal(check.code, 0, check.err);
  assert.match(check.out, new RegExp(`^${fabric} on alpha: every peer answers\n`));
  const json: { ok: boolean; peers: readonly { size: number; ok: boolean }[]; unasked: readonly unknown[] } =
    JSON.parse(on('alpha', 'check', '--json').out);
  assert.equal(json.ok, true);
  assert.deepEqual(
    json.peers.map(({ size, ok }) => [size, ok]),
    [
      [84, true],
      [1450, true],
    ],
  );
  assert.equal(json.unasked.length, 1);
  assert.deepEqual(on('alpha', 'check', '-q'), { code: 0, out: '', err: '' });

  assert.equal(run('exec', 'alpha', '--', 'sh', '-c', 'exit 7').code, 7);
  assert.match(run('exec', 'alpha', 'ip', '-d', 'link', 'show', 'vxlan0').out, /vxlan id 77/);
  assert.equal(run('exec', 'nobody', 'true').code, 2);
  assert.equal(run('exec', 'alpha', '--').code, 2);

  const again = run('up');
  assert.equal(again.code, 1);
  assert.match(again.err, /is up already/);
  const reboot = run('reboot', 'beta');
  assert.equal(reboot.code, 0, reboot.err);
  assert.match(reboot.out, /beta is back: every peer answers/);

  assert.deepEqual(everlan(['lab', 'down', '--fabric', fabric]), {
    code: 0,
    out: `lab ${fabric}: 3 namespaces removed\n`,
    err: '',
  });
  assert.ok(!namespaceExists(`${fabric}-alpha`));
  assert.equal(run('down').code, 1);
});

test('small packets pass and full-size ones are lost: which hop, and what to do', { skip }, (t) => {
  const { fabric, lab: run, on } = lab(t);
  assert.equal(run('up', '-q').code, 0);
  // The underlay of beta shrinks on its way, behind the back of both hosts.
  const links: readonly { ifname: string; mtu: number; linkinfo?: { info_kind?: string } }[] = JSON.parse(
    execFileSync('ip', ['-n', `${fabric}-beta`, '-d', '-j', 'link'], { encoding: 'utf8' }),
  );
  const device =
    links.find(({ linkinfo }) => linkinfo?.info_kind === 'veth')?.ifname ?? assert.fail('no underlay device');
  execFileSync('ip', ['-n', `${fabric}-beta`, 'link', 'set', device, 'mtu', '1400']);
  const { code, out, err } = on('alpha', 'check', '--timeout', '1s');
  assert.equal(code, 1);
  assert.match(out, /beta +169\.254\.0\.2 +\d+\.\d\d ms +(?:no answer|message too long)$/m);
  assert.match(err, /small packets pass, 1450 bytes do not/);
  assert.match(err, /hint: a hop of the underlay carries less than 1500 bytes \(1450 \+ 50\)/);
});

test('demo: tells its story and leaves nothing', { skip }, () => {
  const before = execFileSync('ip', ['netns'], { encoding: 'utf8' });
  const { code, out, err } = everlan(['demo']);
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /vxlan id 77/);
  assert.match(out, /All of it is taken down/);
  const left = execFileSync('ip', ['netns'], { encoding: 'utf8' }).split('\n');
  assert.deepEqual(
    left.filter((line) => line.startsWith('article-') && !before.includes(line)),
    [],
  );
});
