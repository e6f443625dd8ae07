/** Labs on the real kernel: every example proven by packets, reboots, strangers, and nothing left. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readlinkSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { parseFabricOrThrow } from '../src/fabric/parse.ts';
import { echo } from '../src/kernel/echo.ts';
import { linkDetails } from '../src/kernel/link-details.ts';
import { build } from '../src/kernel/plumbing.ts';
import { applyOn, planOn } from '../src/lab/host.ts';
import { type LabReport, labDown, labExec, labHosts, labOf, labReboot, labs, labUp } from '../src/lab/lab.ts';
import type { IpAddress } from '../src/model/address.ts';
import { EXIT } from '../src/model/problem.ts';
import { cookieOf, createNamespace, deleteNamespace, namespaceExists, openNamespace } from '../src/sys/netns.ts';
import {
  codeOf,
  downIfUp,
  example,
  exampleNames,
  needsRoot,
  ownLinks,
  sourceOf,
  sweep,
  traces,
  uniqueName,
  withLabName,
} from './lab.testing.ts';

function inside<T>(namespace: string, work: (fd: number) => T): T {
  const netns = openNamespace(namespace);
  try {
    return work(netns.fd);
  } finally {
    netns.close();
  }
}

const storeOf = (namespace: string): string => `/run/everlan/${inside(namespace, cookieOf)}`;

/** What did not answer, to be read in a failing test's message. */
const silent = ({ proofs }: LabReport) =>
  proofs.flatMap(({ host, peers }) => peers.flatMap((peer) => (peer.ok ? [] : [{ host, ...peer }])));

describe('labs', { skip: needsRoot }, () => {
  before(sweep);

  for (const file of exampleNames) {
    test(`${file}: up, every pair answers, apply again is empty, down`, async () => {
      const links = ownLinks();
      await withLabName(async (name) => {
        const source = sourceOf(example(file), name);
        const report = await labUp(source);
        assert.deepEqual(silent(report), []);
        assert.equal(report.ok, true);
        const { fabric } = parseFabricOrThrow(source.text, source.file);
        const members = [...fabric.overlays.values()].map((overlay) => [...overlay.members]);
        const addresses = members.flatMap((list) =>
          list
            .filter(([, own]) => own.length > 0)
            .flatMap(([host]) => list.filter(([peer]) => peer !== host).flatMap(([, all]) => all)),
        );
        // Every member that has an address asks every address of every other.
        assert.equal(report.proofs.flatMap(({ peers }) => peers).length, addresses.length);
        for (const { name: host, namespace } of report.topology.hosts) {
          assert.deepEqual((await planOn({ fabric, host, namespace })).steps, []);
          assert.equal((await applyOn({ fabric, host, namespace })).report.rounds, 0);
        }
        const stores = report.topology.hosts.map(({ namespace }) => storeOf(namespace)).filter(existsSync);
        assert.ok(stores.length > 0);
        await labDown(name);
        assert.deepEqual(traces(name), []);
        assert.deepEqual(stores.filter(existsSync), []);
        assert.deepEqual(ownLinks(), links);
      });
    });
  }

  test('a host that reboots is back, with the MACs that it had', async () => {
    await withLabName(async (name) => {
      const up = await labUp(sourceOf(example('bridged-lan.yaml'), name));
      const namespace = `${name}-west`;
      const macs = () =>
        inside(namespace, (netns) => ['eth0', 'eth1', 'lan0', 'br-lan'].map((link) => linkDetails(netns, link)?.mac));
      const [store, before] = [storeOf(namespace), macs()];
      const report = await labReboot(name, 'west');
      assert.deepEqual(silent(report), []);
      assert.notEqual(storeOf(namespace), store);
      assert.equal(existsSync(store), false);
      assert.deepEqual(macs(), before);
      assert.equal(new Set(before).size, 3, 'the bridge has the MAC of the overlay');
      const steps = (which: LabReport, host: string) => which.applied.get(host)?.report.plan.steps.length;
      assert.equal(steps(report, 'west'), steps(up, 'west'));
      assert.equal(steps(report, 'east'), 0);
    });
  });

  test('a host whose namespace is gone comes back with a reboot', async () => {
    await withLabName(async (name) => {
      await labUp(sourceOf(example('article.yaml'), name));
      deleteNamespace(`${name}-beta`);
      await assert.rejects(labExec(name, 'beta', ['true']), (error) => codeOf(error) === 'lab-incomplete');
      assert.equal((await labReboot(name, 'beta')).ok, true);
      deleteNamespace(`${name}.router`);
      await assert.rejects(labReboot(name, 'beta'), (error) => codeOf(error) === 'lab-incomplete');
    });
  });

  test('a network of many hosts', async () => {
    const hosts = Array.from({ length: 30 }, (_, i) => `  h${i}: 10.1.0.${i + 2}\n`).join('');
    const members = Array.from({ length: 30 }, (_, i) => `      h${i}: 10.2.0.${i + 2}/24\n`).join('');
    await withLabName(async (name) => {
      const text = `fabric: x\nhosts:\n${hosts}overlays:\n  v:\n    vni: 1\n    hosts:\n${members}`;
      const report = await labUp(sourceOf(text, name));
      assert.deepEqual(silent(report), []);
      assert.equal(report.proofs.flatMap(({ peers }) => peers).length, 30 * 29);
    });
  });

  test('hosts at the edge of a /24 reach and are reached', async () => {
    await withLabName(async (name) => {
      const hosts = '{a: 10.0.0.255, b: 10.0.0.0, c: 10.0.0.9, d: 10.1.0.4}';
      const members = '{a: 10.5.0.1/24, b: 10.5.0.2/24, c: 10.5.0.3/24, d: 10.5.0.4/24}';
      const report = await labUp(
        sourceOf(`fabric: x\nhosts: ${hosts}\noverlays: {v: {vni: 1, hosts: ${members}}}\n`, name),
      );
      assert.deepEqual(silent(report), []);
    });
  });

  test('a large MTU, through a device that carries it', async () => {
    await withLabName(async (name) => {
      const overlays = '{v: {vni: 1, mtu: 8950, hosts: {a: 10.5.0.1/24, b: 10.5.0.2/24, c: null}}}';
      const report = await labUp(
        sourceOf(`fabric: x\nhosts: {a: 10.0.0.4, b: 10.1.0.4, c: 10.1.0.5}\noverlays: ${overlays}\n`, name),
      );
      assert.deepEqual(silent(report), []);
      assert.deepEqual(
        report.proofs.map(({ peers }) => peers.map(({ fullSize }) => fullSize)),
        [[8950], [8950], []],
      );
      assert.deepEqual(
        report.proofs.map(({ unasked }) => unasked.map(({ peer }) => peer)),
        [['c'], ['c'], ['a', 'b']],
      );
    });
  });

  test('an overlay that cannot carry anything: the lab stays, and says who is silent', async () => {
    await withLabName(async (name) => {
      const overlays = '{v: {vni: 1, flood: none, hosts: {a: 10.5.0.1/24, b: 10.5.0.2/24}}}';
      const report = await labUp(
        sourceOf(`fabric: x\nhosts: {a: 10.0.0.4, b: 10.0.0.5}\noverlays: ${overlays}\n`, name),
      );
      assert.equal(report.ok, false);
      assert.deepEqual(
        silent(report).map(({ host, peer, small }) => [host, peer, small.ok]),
        [
          ['a', 'b', false],
          ['b', 'a', false],
        ],
      );
      assert.deepEqual(
        labHosts(name).map((host) => host.name),
        ['a', 'b'],
      );
    });
  });

  test('what cannot be applied is undone, and the host named', async () => {
    const name = uniqueName();
    const overlays = '{v: {vni: 1, mtu: 65535, hosts: {a: null, b: null}}}';
    await assert.rejects(
      labUp(sourceOf(`fabric: x\nhosts: {a: 10.0.0.4, b: 10.0.0.5}\noverlays: ${overlays}\n`, name)),
      (error) => {
        assert.equal(codeOf(error), 'mtu-device');
        return error instanceof Error && error.message.startsWith('a: ');
      },
    );
    assert.deepEqual(traces(name), []);
  });

  test('a bad file is exit 2, and makes nothing', async () => {
    const name = uniqueName();
    await assert.rejects(labUp(sourceOf('fabric: x\nhosts: {}\n', name)), { exitCode: EXIT.usage });
    assert.deepEqual(traces(name), []);
  });

  test('a second up is refused, also at the same time; one that is down is said to be', async () => {
    await withLabName(async (name) => {
      const source = sourceOf(example('article.yaml'), name);
      const both = await Promise.allSettled([labUp(source), labUp(source)]);
      assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
      const refused = both.find((one) => one.status === 'rejected');
      assert.equal(codeOf(refused?.reason), 'lab-is-up');
      assert.ok(labs().includes(name));
      assert.equal(labOf(source), name);
      await labDown(name);
      const uses = [() => labDown(name), () => labReboot(name, 'a'), () => labExec(name, 'a', ['true'])];
      for (const use of uses) await assert.rejects(use, (error) => codeOf(error) === 'no-lab');
    });
  });

  test('strangers’ namespaces are never touched', async () => {
    await withLabName(async (name) => {
      const stranger = `${name}-beta`;
      const source = sourceOf(example('article.yaml'), name);
      createNamespace(stranger);
      const cookie = inside(stranger, cookieOf);
      try {
        await assert.rejects(labUp(source), (error) => {
          assert.equal(codeOf(error), 'lab-name-taken');
          return error instanceof Error && error.message.includes(stranger);
        });
        assert.deepEqual(traces(name), [stranger]);
      } finally {
        deleteNamespace(stranger);
      }
      await labUp(source);
      // Somebody takes a host away, and puts a namespace of the same name there.
      deleteNamespace(stranger);
      createNamespace(stranger);
      try {
        await assert.rejects(labReboot(name, 'beta'), (error) => codeOf(error) === 'lab-name-taken');
        const { left, removed } = await labDown(name);
        assert.deepEqual([left, removed], [[stranger], [`${name}.router`, `${name}-alpha`]]);
        assert.equal(namespaceExists(stranger), true);
        assert.notEqual(inside(stranger, cookieOf), cookie);
      } finally {
        deleteNamespace(stranger);
      }
    });
  });

  test('what is plugged into a port is on one LAN with what is plugged into the other', async (t) => {
    if (spawnSync('ip', ['-V']).status !== 0) return t.skip('needs ip (iproute2), to move links between namespaces');
    await withLabName(async (name) => {
      const { topology } = await labUp(sourceOf(example('bridged-lan.yaml'), name));
      const machines = [
        { namespace: `${name}-m0`, address: '10.40.0.50' as IpAddress },
        { namespace: `${name}-m1`, address: '10.40.0.51' as IpAddress },
      ];
      try {
        for (const [i, { namespace, address }] of machines.entries()) {
          createNamespace(namespace);
          const move = spawnSync('ip', ['-n', topology.outside ?? '', 'link', 'set', `p${i}`, 'netns', namespace], {
            encoding: 'utf8',
          });
          assert.equal(move.status, 0, move.stderr);
          inside(namespace, (netns) => {
            const index = topology.hosts[i]?.ports[0]?.far.index ?? 0;
            build(netns, [
              { kind: 'up', index },
              { kind: 'address', index, prefix: `${address}/24` as never },
            ]);
          });
        }
        const netns = openNamespace(machines[0]?.namespace ?? '');
        const targets = [84, 1450].map((size) => ({ link: 'p0', address: machines[1]?.address as IpAddress, size }));
        const answers = await echo(targets, { netns: netns.fd, timeoutMs: 3000, attempts: 6 });
        netns.close();
        assert.deepEqual(
          answers.map(({ ok }) => ok),
          [true, true],
          JSON.stringify(answers),
        );
      } finally {
        for (const { namespace } of machines) if (namespaceExists(namespace)) deleteNamespace(namespace);
      }
    });
  });

  test('several labs: the question which one', async () => {
    await withLabName(async (name) => {
      await labUp(sourceOf(example('article.yaml'), name));
      await withLabName(async (other) => {
        await labUp(sourceOf(example('article.yaml'), other));
        assert.throws(
          () => labOf(),
          (error) => {
            assert.equal(codeOf(error), 'many-labs');
            return error instanceof Error && error.message.includes(name) && error.message.includes(other);
          },
        );
      });
    });
  });

  test('we are where we were', async () => {
    const own = () => readlinkSync('/proc/thread-self/ns/net');
    const home = own();
    const name = uniqueName();
    await labUp(sourceOf(example('article.yaml'), name));
    await downIfUp(name);
    assert.equal(own(), home);
  });
});
