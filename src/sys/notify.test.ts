import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { NotifySocket } from '../../test/support/notify-socket.ts';
import { notify } from './notify.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'everlan-notify-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

for (const kind of ['a path', 'an abstract name']) {
  test(`a message to ${kind}`, async (t) => {
    const place = folder(t);
    const address = kind === 'a path' ? join(place, 'notify') : `@${place}`;
    const socket = new NotifySocket(address);
    t.after(() => socket.close());
    notify(address, 'READY=1\nSTATUS=all is well');
    notify(address, 'STOPPING=1');
    await socket.heard('STOPPING=1');
    assert.deepEqual(socket.lines, ['READY=1', 'STATUS=all is well', 'STOPPING=1']);
  });
}

for (const address of ['', '@', 'relative', 'vsock:2:1', `/${'x'.repeat(120)}`, '/a\0b']) {
  test(`no address: ${JSON.stringify(address.slice(0, 12))}`, () => {
    assert.throws(() => notify(address, 'READY=1'), { name: 'SysError', code: 'EINVAL' });
  });
}

test('nobody listens', (t) => {
  assert.throws(() => notify(join(folder(t), 'none'), 'READY=1'), { name: 'SysError', code: 'ENOENT' });
});
