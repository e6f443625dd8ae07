import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { planJson } from '../plan/explain.ts';
import { FAKE_PLAN } from './door.testing.ts';
import {
  planFromWire,
  planToWire,
  type Request,
  RequestError,
  readReply,
  readRequest,
  writeRequest,
} from './protocol.ts';

const APPLY = { text: 'fabric: x', file: '/f', adopt: false, prune: true } as const;

const understood: readonly { name: string; in: Request; want?: Request }[] = [
  { name: 'info', in: { op: 'info' } },
  { name: 'events', in: { op: 'events', last: 0, follow: true } },
  { name: 'revert', in: { op: 'revert', token: 't' } },
  { name: 'apply', in: { op: 'apply', ...APPLY, host: 'alpha', trial: 'token' } },
  { name: 'apply without a host', in: { op: 'apply', ...APPLY, host: undefined, trial: null } },
];

for (const { name, in: request } of understood) {
  test(`a request: ${name}`, () => assert.deepEqual(readRequest(writeRequest(request)), request));
}

const refused: readonly { name: string; in: string; want: RegExp }[] = [
  { name: 'nothing', in: '', want: /one line of JSON/ },
  { name: 'half of it', in: '{"version":1', want: /one line of JSON/ },
  { name: 'a number', in: '1', want: /JSON object/ },
  { name: 'null', in: 'null', want: /JSON object/ },
  { name: 'a list', in: '[{"version":1}]', want: /JSON object/ },
  { name: 'no version', in: '{"op":"info"}', want: /“version” must be 1/ },
  { name: 'a later version', in: '{"version":2,"op":"info"}', want: /“version” must be 1/ },
  { name: 'no operation', in: '{"version":1}', want: /“op” must be one of info, status/ },
  { name: 'an unknown operation', in: '{"version":1,"op":"reboot"}', want: /“op” must be one of/ },
  { name: 'an operation of every object', in: '{"version":1,"op":"toString"}', want: /“op” must be one of/ },
  { name: 'too much', in: '{"version":1,"op":"info","more":1}', want: /“more” is not known/ },
  { name: 'a prototype', in: '{"version":1,"op":"info","__proto__":{}}', want: /“__proto__” is not known/ },
  { name: 'too little', in: '{"version":1,"op":"revert"}', want: /“token” must be a text/ },
  { name: 'a wrong flag', in: '{"version":1,"op":"events","last":1,"follow":1}', want: /“follow” must be true/ },
  { name: 'a wrong count', in: '{"version":1,"op":"events","last":-1,"follow":true}', want: /“last” must be a whole/ },
  { name: 'a fraction', in: '{"version":1,"op":"events","last":1.5,"follow":true}', want: /“last” must be a whole/ },
  {
    name: 'a wrong host',
    in: JSON.stringify({ version: 1, op: 'apply', ...APPLY, host: 1 }),
    want: /“host” must be a text/,
  },
];

for (const { name, in: line, want } of refused) {
  test(`no request: ${name}`, () =>
    assert.throws(
      () => readRequest(line),
      (error) => error instanceof RequestError && want.test(error.message),
    ));
}

test('whatever comes is a request or a RequestError', () => {
  const field = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.double());
  const name = fc.constantFrom(
    'text',
    'file',
    'host',
    'adopt',
    'prune',
    'trial',
    'last',
    'follow',
    'token',
    '__proto__',
  );
  const op = fc.constantFrom('info', 'events', 'apply', 'revert', 'down', 'valueOf');
  const near = fc
    .tuple(op, fc.dictionary(name, field))
    .map(([known, fields]) => JSON.stringify({ version: 1, op: known, ...fields }));
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), near), (line) => {
      try {
        assert.equal(typeof readRequest(line).op, 'string');
      } catch (error) {
        assert.ok(error instanceof RequestError, String(error));
      }
    }),
  );
});

test('a plan over the socket tells the same', () => {
  const of = { fabric: 'f', host: 'h' };
  const wire = JSON.stringify(planToWire(FAKE_PLAN));
  const come = planFromWire(JSON.parse(wire));
  assert.deepEqual(planJson(come, of), planJson(FAKE_PLAN, of));
  assert.doesNotMatch(wire, /neighbours/);
  const [first] = come.steps;
  assert.ok(first?.kind === 'link' && first.action === 'add');
  assert.equal(first.to.addresses.size, 0);
});

for (const line of ['', 'null', '[]', '{}', '{"ok":1}', '{"ok":false}']) {
  test(`no reply: ${line}`, () => assert.throws(() => readReply('info', line), RequestError));
}
