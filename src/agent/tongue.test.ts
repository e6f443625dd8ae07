import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EventDraft } from './account.ts';
import { Tongue } from './tongue.ts';

const flap = (overlay: string): EventDraft => ({
  kind: 'waiting',
  level: 'warning',
  message: `${overlay} waits`,
  overlays: [overlay],
});

describe('tongue', () => {
  test('a storm is told twenty times, then once a minute with how many were not', () => {
    const said: string[] = [];
    let now = 0;
    const tongue = new Tongue(
      ({ message }) => said.push(message),
      () => now,
    );
    for (let second = 0; second < 3600; second++, now += 1000) tongue.say(flap('vxlan0'));
    assert.equal(said.length, 20 + 59);
    assert.equal(said[19], 'vxlan0 waits');
    assert.equal(said[20], 'vxlan0 waits (and 40 times before, untold)');
    assert.equal(said[21], 'vxlan0 waits (and 59 times before, untold)');
  });

  test('one overlay’s storm keeps no other silent, nor another kind', () => {
    const said: string[] = [];
    const tongue = new Tongue(
      ({ message }) => said.push(message),
      () => 0,
    );
    for (let i = 0; i < 100; i++) tongue.say(flap('vxlan0'));
    tongue.say(flap('vxlan1'));
    tongue.say({ kind: 'removed', level: 'info', message: 'removed', overlays: ['vxlan0'] });
    assert.deepEqual(said.slice(20), ['vxlan1 waits', 'removed']);
  });

  test('after a quiet time a storm is told from the beginning', () => {
    const said: string[] = [];
    let now = 0;
    const tongue = new Tongue(
      ({ message }) => said.push(message),
      () => now,
    );
    for (let i = 0; i < 50; i++) tongue.say(flap('vxlan0'));
    now = 3_600_000;
    for (let i = 0; i < 50; i++) tongue.say(flap('vxlan0'));
    assert.equal(said.length, 40);
  });
});
