/**
 * Captures src/netlink/vectors/*.json from real `ip` and `bridge` runs: `node scripts/capture-vectors.ts`, as root, with
 * iproute2, strace 4.17 or newer and unshare(1). Runs in a network namespace of its own, which ends with it.
 *
 * Each command of capture-vectors.*.ts runs under strace, whose dumps (-e read, -e write) hold every byte that
 * went over the netlink sockets. What our decoder makes of them must agree with what a person wrote beside the command,
 * so the files cannot be captured with a decoder that is wrong there.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect, isDeepStrictEqual } from 'node:util';
import {
  decodeDatagram,
  encodeDatagram,
  type Message,
  plain,
  type Vector,
  writable,
} from '../src/netlink/vectors/datagram.ts';
import type { Scenario } from './capture-vectors.scenario.ts';
import { FILES, SETUP } from './capture-vectors.scenarios.ts';

const INSIDE = '--inside-a-new-namespace';
const ROOT = join(import.meta.dirname, '..');
const VECTORS = join(ROOT, 'src/netlink/vectors');

interface Datagram {
  readonly sent: boolean;
  readonly bytes: Uint8Array;
}

const argvOf = (command: string): string[] => command.split(' ').map((word) => (word === "''" ? '' : word));

function run(command: string): void {
  const [program = '', ...args] = argvOf(command);
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
}

/** ` | 00010  34 00 …  00 00  4...` : 16 bytes of a dump, the last line shorter, then the same as text. */
const DUMP = /^ \| [0-9a-f]+ {2}(.{49})/;

function parse(trace: string): Datagram[] {
  const out: { sent: boolean; hex: string }[] = [];
  for (const line of trace.split('\n')) {
    const hex = DUMP.exec(line)?.[1];
    const last = out.at(-1);
    if (hex !== undefined && last !== undefined) last.hex += hex.replaceAll(' ', '');
    else if (/^(send|recv)/.test(line)) out.push({ sent: line.startsWith('send'), hex: '' });
  }
  return out
    .filter(({ hex }) => hex !== '')
    .map(({ sent, hex }) => {
      const bytes = Buffer.from(hex, 'hex');
      // Some questions are sent with zeros behind them, to the end of a buffer; the kernel stops reading there.
      return { sent, bytes: sent ? bytes.subarray(0, bytes.readUInt32LE(0)) : bytes };
    });
}

function traced({ command, refused = false }: Scenario, folder: string): Datagram[] {
  const file = join(folder, 'trace');
  const calls = 'sendto,sendmsg,recvfrom,recvmsg';
  const options = ['-o', file, '-e', `trace=${calls}`, '-e', 'read=all', '-e', 'write=all', '-e', 'signal=none'];
  const { error, status, stderr } = spawnSync('strace', [...options, '--', ...argvOf(command)], { encoding: 'utf8' });
  if (error !== undefined) throw error;
  if ((status !== 0) !== refused) throw new Error(`${command}: status ${status}, ${stderr}`);
  return parse(readFileSync(file, 'utf8'));
}

const show = (value: unknown): string => inspect(value, { depth: 8 });

/** Whether `found` has all that `wanted` says. */
function includes(found: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return Object.is(found, wanted);
  if (typeof found !== 'object' || found === null) return false;
  return Object.entries(wanted).every(([key, value]) =>
    includes(Object.getOwnPropertyDescriptor(found, key)?.value, value),
  );
}

function vectorOf(name: string, command: string, bytes: Uint8Array): Vector {
  const messages = decodeDatagram(bytes);
  const hex = Buffer.from(bytes).toString('hex');
  const exact = Buffer.from(encodeDatagram(writable(messages))).toString('hex') === hex;
  const decoded = plain(messages);
  assert(Array.isArray(decoded));
  return { name, command, exact, hex, decoded };
}

/** `{link: …}`, without header and kind. */
function bodyOf(message: Message | undefined): object {
  if (message === undefined) return {};
  const { kind: _kind, type: _type, flags: _flags, sequence: _sequence, ...body } = message;
  return body;
}

/** Requests are to match whole; of an answer one message is to have all that is said. */
function capture(scenario: Scenario, folder: string): Vector[] {
  for (const command of scenario.before ?? []) run(command);
  const { name, command } = scenario;
  const datagrams = traced(scenario, folder);
  const messagesOf = (datagram: Datagram) => decodeDatagram(datagram.bytes);
  const candidates = datagrams.filter((each) => each.sent && messagesOf(each)[0]?.type === scenario.type);
  const bodies = candidates.map((each) => plain(bodyOf(messagesOf(each)[0])));
  const chosen = bodies.findLastIndex((body) => isDeepStrictEqual(body, plain(scenario.request)));
  const request = candidates[chosen];
  if (request === undefined) throw new Error(`${command}: what was sent is not as expected: ${show(bodies)}`);
  const vectors = [vectorOf(name, command, request.bytes)];
  if (scenario.answer === undefined) return vectors;
  // One question at a time: the answers stand between it and the next. Sequence numbers are seconds, often the same.
  const after = datagrams.slice(datagrams.indexOf(request) + 1);
  const next = after.findIndex(({ sent }) => sent);
  const answers = next < 0 ? after : after.slice(0, next);
  for (const [i, answer] of answers.entries()) {
    const count = answers.length === 1 ? '' : ` ${i + 1} of ${answers.length}`;
    vectors.push(vectorOf(`${name}: answer${count}`, command, answer.bytes));
  }
  const told = answers.flatMap(messagesOf).map(plain);
  const { answer } = scenario;
  if (!told.some((message) => includes(message, plain(answer)))) {
    throw new Error(`${command}: the answer is not as expected: ${show(told)}`);
  }
  return vectors;
}

/** All vectors by file, or every disagreement at once. */
function captureAll(): Map<string, Vector[]> {
  const folder = mkdtempSync(join(tmpdir(), 'everlan-vectors-'));
  const files = new Map<string, Vector[]>();
  const errors: unknown[] = [];
  try {
    for (const command of SETUP) run(command);
    for (const [name, scenarios] of Object.entries(FILES)) {
      const vectors: Vector[] = [];
      for (const scenario of scenarios) {
        try {
          vectors.push(...capture(scenario, folder));
        } catch (error) {
          errors.push(error);
        }
      }
      files.set(name, vectors);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  if (errors.length > 0) throw new Error(errors.join('\n'));
  return files;
}

function write(files: Map<string, Vector[]>): void {
  for (const [name, vectors] of files) {
    writeFileSync(join(VECTORS, `${name}.json`), JSON.stringify(vectors, null, 2));
    console.log(`${name}: ${vectors.length} vectors, ${vectors.filter(({ exact }) => exact).length} of them exact`);
  }
  spawnSync(join(ROOT, 'node_modules/.bin/biome'), ['format', '--write', VECTORS], { cwd: ROOT, stdio: 'inherit' });
}

if (process.argv.includes(INSIDE)) write(captureAll());
else {
  const inside = ['--net', '--', process.execPath, import.meta.filename, INSIDE];
  const { status, error } = spawnSync('unshare', inside, { stdio: 'inherit' });
  if (error !== undefined) throw error;
  process.exitCode = status ?? 1;
}
