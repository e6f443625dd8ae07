import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentEvent, AgentInfo, Waiting } from '../agent/door.ts';
import { problem } from '../model/problem.ts';
import { agentLines, eventText, waitingLines } from './agent-text.ts';
import { paints } from './colour.ts';

process.env.TZ = 'UTC';

const short = { paints: paints(false), all: false };
const all = { paints: paints(false), all: true };

const INFO: AgentInfo = {
  pid: 7,
  since: '2026-11-22T14:00:00.000Z',
  version: '0.1.0',
  mode: 'running',
  fabric: 'article',
  host: 'alpha',
  file: '/f',
  source: '/f',
  waiting: [],
  problems: [],
};

const infos: readonly { name: string; in: Partial<AgentInfo>; want: readonly string[] }[] = [
  { name: 'all is well', in: {}, want: [] },
  {
    name: 'taken down',
    in: { mode: 'suspended' },
    want: ['Taken down by `everlan down`: the agent lets it rest until the next apply or boot.'],
  },
  { name: 'on trial', in: { mode: 'trial' }, want: ['A change waits to be confirmed: `everlan confirm` keeps it.'] },
  {
    name: 'a change made elsewhere',
    in: { mode: 'paused' },
    want: ['A change that was made without the agent waits to be confirmed: it touches nothing until then.'],
  },
  { name: 'not from the file', in: { source: '/g' }, want: ['In force is /g, not /f.'] },
  {
    name: 'waits and problems',
    in: { waiting: [{ overlay: 'lan', reason: 'no link has 10.0.0.4' }], problems: [problem('x', 'it is bad')] },
    want: ['lan waits: no link has 10.0.0.4', 'error: it is bad'],
  },
];

for (const { name, in: more, want } of infos) {
  test(`below the status: ${name}`, () => assert.deepEqual(agentLines({ ...INFO, ...more }, short), want));
}

test('many that wait', () => {
  const waiting = Array.from({ length: 100 }, (_, i): Waiting => ({ overlay: `vx${i}`, reason: 'no link' }));
  const lines = waitingLines(waiting, short);
  assert.equal(lines.length, 11);
  assert.equal(lines.at(-1), '… and 90 more that wait');
  assert.equal(waitingLines(waiting, all).length, 100);
});

const EVENT: AgentEvent = {
  number: 1,
  at: '2026-11-22T14:38:00.007Z',
  kind: 'healed',
  level: 'info',
  message: 'vxlan0 was deleted by ip (process 4123): made again in 2.1 ms',
  overlays: ['vxlan0'],
  steps: [],
};

test('an event', () => {
  const line = '2026-11-22 14:38:00.007  healed     vxlan0 was deleted by ip (process 4123): made again in 2.1 ms';
  assert.equal(eventText(EVENT, short), line);
  const steps = ['a', 'b', 'c', 'd', 'e'];
  const hinted = eventText({ ...EVENT, steps, hint: 'look' }, short).split('\n');
  assert.deepEqual(hinted, [line, '    a', '    b', '    c', '    … and 2 more', '    hint: look']);
  assert.equal(eventText({ ...EVENT, steps }, all).split('\n').length, 6);
});
