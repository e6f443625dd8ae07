/**
 * Run by netns.test.ts under `unshare -Urnm`: the first steps of a demo without root.
 * The arguments are the command that mounts a tmpfs on /run.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cookieOf, createNamespace, deleteNamespace, inNamespace, openNamespace, writeSysctl } from './netns.ts';

const [command, ...args] = process.argv.slice(2);
if (command === undefined) throw new TypeError('which command mounts /run?');
assert.equal(spawnSync(command, args, { stdio: 'inherit' }).status, 0);

const cookies = new Set([cookieOf()]);
for (const name of ['one', 'two']) {
  createNamespace(name);
  const namespace = openNamespace(name);
  cookies.add(cookieOf(namespace.fd));
  inNamespace(namespace.fd, () => writeSysctl('/proc/sys/net/ipv4/ip_forward', 1));
  const setting = inNamespace(namespace.fd, () => readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8'));
  assert.equal(setting, '1\n');
  namespace.close();
}
assert.equal(cookies.size, 3);
assert.deepEqual(readdirSync('/run/netns').sort(), ['one', 'two']);
deleteNamespace('one');
deleteNamespace('two');
assert.deepEqual(readdirSync('/run/netns'), []);
process.stdout.write('done\n');
