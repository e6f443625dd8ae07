import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Desired } from '../model/desired.ts';
import { warning } from '../model/problem.ts';
import { facts } from './agent.testing.ts';
import { Hazards } from './hazards.ts';
import { Tongue } from './tongue.ts';

const desired: Desired = { fabric: 'f', host: 'alpha', state: { links: new Map() }, overlays: [], warnings: [] };

test('what changes during a look is looked at soon, after it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const looks: number[] = [];
  const answers: (() => void)[] = [];
  const hazards = new Hazards(
    async ({ links }) => {
      const mtu = links.get('eth0')?.mtu ?? 0;
      looks.push(mtu);
      await new Promise<void>((done) => answers.push(done));
      return [warning('x', `seen at ${mtu}`)];
    },
    new Tongue(() => undefined),
    () => undefined,
  );
  t.after(() => hazards.close());
  const settled = () => new Promise((done) => setImmediate(done));
  hazards.saw(facts(), desired);
  t.mock.timers.tick(200);
  hazards.saw(facts(undefined, undefined, 1400), desired);
  t.mock.timers.tick(200);
  assert.deepEqual(looks, [1500], 'one look at a time');
  answers[0]?.();
  await settled();
  t.mock.timers.tick(200);
  assert.deepEqual(looks, [1500, 1400]);
  answers[1]?.();
  await settled();
  assert.deepEqual(
    hazards.problems.map(({ message }) => message),
    ['seen at 1400'],
  );
});
