import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { socketName, socketNames } from './address.ts';
import { socketFolder } from './socket.testing.ts';

const digest = (path: string): string => createHash('sha256').update(path).digest('hex').slice(0, 8);

const cases: readonly { name: string; in: string; want: string }[] = [
  { name: 'the default file', in: '/etc/everlan/fabric.yaml', want: 'agent.sock' },
  { name: 'the default file by another way', in: '/etc/x/../everlan//fabric.yaml', want: 'agent.sock' },
  { name: 'another file', in: '/srv/a.yaml', want: `agent-${digest('/srv/a.yaml')}.sock` },
  { name: 'a relative path', in: 'a.yaml', want: `agent-${digest(resolve('a.yaml'))}.sock` },
];

for (const { name, in: file, want } of cases) {
  test(`the name of the socket: ${name}`, () => assert.equal(socketName(file), want));
}

test('the sockets of a folder, and nothing else in it', (t) => {
  const folder = socketFolder(t);
  for (const name of [
    'agent.sock',
    'agent-0123abcd.sock',
    'agent-0123abc.sock',
    'agent.agent',
    'x.lock',
    'agent-0123ABCD.sock',
  ]) {
    writeFileSync(join(folder, name), '');
  }
  assert.deepEqual(socketNames(folder), ['agent-0123abcd.sock', 'agent.sock']);
  assert.deepEqual(socketNames(join(folder, 'none')), []);
});
