/**
 * Captures src/networkd/vectors.json: `scripts/node24 scripts/capture-dbus-vectors.ts`, as root, with dbus, systemd, gdbus
 * (libglib2.0-bin) and dbus-send (dbus-bin).
 *
 * `busctl monitor` on a host with a real dbus-daemon and systemd-networkd is sent every message of the bus: of networkd
 * and busctl (sd-bus), dbus-send (libdbus), gdbus (GLib) and the bus itself. The bytes are taken on the way to it,
 * and what they mean is what it prints.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { measure } from '../src/networkd/message.ts';
import { networkdHost } from '../test/support/networkd.ts';

const FILE = join(import.meta.dirname, '../src/networkd/vectors.json');

/** The bus refuses most of them; what counts is how they are put into bytes. Words are split at spaces. */
const BUSCTL = [
  'busctl call -- org.freedesktop.DBus / a.b Integers ynqiuxt 200 -30000 60000 -2000000000 4000000000 -9007199254740993 18446744073709551615',
  'busctl call -- org.freedesktop.DBus / a.b Others bdsog true -1.5 grüße /a/_b2 a{sv}',
  'busctl call -- org.freedesktop.DBus / a.b Containers asaya(yv)a{sas}(t(sd)) 2 one zwei 3 0 127 255 2 7 s seven 8 (bx) false 5 2 k 1 a l 0 18446744073709551615 deep 0.25',
  'busctl call -- org.freedesktop.DBus / a.b Empty aya{sv}a(t) 0 0 0',
  'busctl call -- org.freedesktop.DBus / a.b Variants vv v s inner a{sv} 1 k as 1 x',
  'busctl call -- org.freedesktop.network1 /org/freedesktop/network1 org.freedesktop.network1.Manager ListLinks',
  'busctl call -- org.freedesktop.network1 /org/freedesktop/network1/link/_33 org.freedesktop.network1.Link Describe',
  'busctl call -- org.freedesktop.network1 /org/freedesktop/network1/link/_33 org.freedesktop.DBus.Properties GetAll s org.freedesktop.network1.Link',
  'busctl call -- org.freedesktop.network1 /org/freedesktop/network1/link/_399 org.freedesktop.DBus.Properties GetAll s org.freedesktop.network1.Link',
];
const LIBDBUS =
  'dbus-send --system --print-reply --dest=org.freedesktop.DBus / a.b.Libdbus byte:7 boolean:true int16:-3 uint16:4 int32:-5 uint32:6 int64:-7 uint64:8 double:0.5 string:text objpath:/o/p variant:string:v array:int64:1,2 dict:string:uint64:a,1,b,2';
const GLIB = 'gdbus call --system --dest org.freedesktop.DBus --object-path / --method a.b.GLib';
const GLIB_VALUES = ['(byte 1, uint64 2, [int16 3, 4], {"k": <(true, "v")>})', '@as []', '@a(yt) [(1, 2), (3, 4)]'];
const COMMANDS = [...BUSCTL, LIBDBUS, GLIB].map((line) => line.split(' '));
COMMANDS.at(-1)?.push(...GLIB_VALUES);

const ends: (() => void | Promise<void>)[] = [];
const host = await networkdHost({ after: (end) => ends.push(end) });
const folder = mkdtempSync(join(tmpdir(), 'capture-'));
const received: Buffer[] = [];
const server = createServer((client) => {
  const bus = connect(host.socket);
  client.pipe(bus);
  bus.on('data', (bytes) => received.push(bytes));
  bus.pipe(client);
}).listen(join(folder, 'socket'));
await once(server, 'listening');

const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${join(folder, 'socket')}` };
const monitor = spawn('busctl', ['--system', '--json=short', 'monitor'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
const lines: string[] = [];
const LAST = 'TheLastOne';
const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
const output = createInterface(monitor.stdout);
output.on('line', (line) => {
  lines.push(line);
  if (line.includes(LAST)) finish();
});
while (!Buffer.concat(received).includes('NameLost')) await new Promise((resolve) => setTimeout(resolve, 10));
host.flap('eth0');
for (const command of COMMANDS) {
  const [program = '', ...args] = host.inside(...command);
  await once(spawn(program, args, { stdio: 'ignore' }), 'exit');
}
host.run('sh', '-c', `busctl call org.freedesktop.DBus / a.b ${LAST} || true`);
await finished;

/** After what the bus said while authenticating, messages one after the other. */
function split(stream: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  let at = stream.lastIndexOf('\r\nl', stream.indexOf('NameAcquired')) + 2;
  while (stream.length - at >= 16) {
    const { total } = measure(stream, at);
    messages.push(stream.subarray(at, at + total));
    at += total;
  }
  return messages;
}

/** The message that a printed line is about: serials count up for each sender, and both come in one order. */
const messages = split(Buffer.concat(received));
function messageOf(printed: { readonly cookie: number; readonly sender: string }): Buffer | undefined {
  const fits = (bytes: Buffer): boolean =>
    bytes.readUInt32LE(8) === printed.cookie && bytes.includes(`${printed.sender}\0`);
  while (messages[0] !== undefined && !fits(messages[0])) messages.shift();
  return messages.shift();
}

// One of each shape is enough.
const shapes = new Set<string>();
const vectors = lines.flatMap((line) => {
  const printed = JSON.parse(line);
  const bytes = messageOf(printed);
  if (bytes === undefined) throw new Error(`no message for ${line}`);
  const shape = [printed.type, printed.member, printed.error_name, printed.payload.type].join(' ');
  if (shapes.has(shape)) return [];
  shapes.add(shape);
  return [{ printed: line.replace(/"timestamp-realtime":\d+,/, ''), hex: bytes.toString('hex') }];
});
writeFileSync(FILE, `${JSON.stringify(vectors, null, 1)}\n`);
console.log(`${vectors.length} messages`);
monitor.kill();
server.close();
rmSync(folder, { recursive: true });
for (const end of ends) await end();
