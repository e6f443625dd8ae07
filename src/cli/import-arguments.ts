/** The words of `everlan import`: one host's source after the other, each with options of its own. */
import type { IpAddress } from '../model/address.ts';
import { isUnicast, parseIp } from '../model/address.ts';
import type { Context } from './command.ts';
import { wrongUse } from './options.ts';

/** One host: where its links are read. */
export interface SourceRequest {
  readonly host: string | undefined;
  readonly underlay: IpAddress | null;
  readonly netns: string | undefined;
  readonly source: string;
  /** Empty: where the tool itself keeps them. */
  readonly files: readonly string[];
}

export interface ImportRequest {
  readonly sources: readonly SourceRequest[];
  readonly name: string | null;
  /** null: standard output. */
  readonly output: string | null;
  readonly quiet: boolean;
}

/** Of one host. */
const OWN = ['host', 'underlay', 'netns'] as const;
/** Of the whole. */
const SHARED = ['name', 'output'] as const;
const FLAGS: Readonly<Record<string, string>> = { q: 'quiet', v: 'verbose' };
const SHORT: Readonly<Record<string, string>> = { o: 'output' };

type Draft = Partial<Record<(typeof OWN)[number], string>> & { source?: string; files: string[] };

const isOwn = (name: string): name is (typeof OWN)[number] => (OWN as readonly string[]).includes(name);
const isShared = (name: string): name is (typeof SHARED)[number] => (SHARED as readonly string[]).includes(name);

/** @throws EverlanError, exit 2, for wrong use. */
export function readImport({ options, args }: Pick<Context, 'options' | 'args'>): ImportRequest {
  if (options.text('file') !== undefined) {
    throw wrongUse('import reads no fabric file, so it takes no --file', 'the source’s files follow its name');
  }
  if (options.json) throw wrongUse('import prints a fabric file, and no JSON');
  const first: Draft = { files: [] };
  for (const name of OWN) {
    const value = options.text(name);
    if (value !== undefined) first[name] = value;
  }
  const drafts = [first];
  const shared: Partial<Record<string, string>> = {};
  let quiet = options.quiet;
  let current = first;
  const words = args[Symbol.iterator]();
  let verbatim = false;
  for (let next = words.next(); next.done !== true; next = words.next()) {
    const word = next.value;
    if (verbatim || word === '-' || !word.startsWith('-')) {
      if (current.source === undefined) current.source = word;
      else current.files.push(word);
      continue;
    }
    if (word === '--') {
      verbatim = true;
      continue;
    }
    const [, name, value] = optionOf(word);
    if (name === 'quiet') quiet = true;
    else if (name === 'verbose' || name === 'no-color') continue;
    else if (isOwn(name) || isShared(name)) {
      const given = value ?? words.next().value;
      if (given === undefined) throw wrongUse(`--${name} needs a value`, HELP);
      if (name === 'host') current = forHost(drafts);
      if (isShared(name)) shared[name] = once(name, shared[name], given);
      else current[name] = once(name, current[name], given);
    } else throw wrongUse(`unknown option '${word}'`, HELP);
  }
  foldLast(drafts);
  return {
    sources: drafts.map(requestOf),
    name: shared.name ?? options.text('name') ?? null,
    output: nonEmpty('output', shared.output ?? options.text('output')) ?? null,
    quiet,
  };
}

/** The host that a --host begins. */
function forHost(drafts: Draft[]): Draft {
  foldLast(drafts);
  const last = drafts.at(-1);
  if (last !== undefined && last.source === undefined) return last;
  const next: Draft = { files: [] };
  drafts.push(next);
  return next;
}

/** A --host that no source follows names the source before it, as in `kernel --host alpha`. */
function foldLast(drafts: Draft[]): void {
  const [before, last] = drafts.slice(-2);
  if (before === undefined || last === undefined || last.source !== undefined || before.host !== undefined) return;
  const { files: _, ...options } = last;
  drafts.splice(-2, 2, { ...options, ...before });
}

const HELP = '`everlan import --help` shows what there is';

/** `-o`, `--output`, `--output=FILE` → [word, name, value]. */
function optionOf(word: string): readonly [string, string, string | undefined] {
  const [, dashes = '', name = '', value] = /^(--?)([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  if (dashes === '--') return [word, name, value];
  const letter = name.slice(0, 1);
  const rest = name.slice(1) === '' ? undefined : name.slice(1);
  return [word, SHORT[letter] ?? (rest === undefined ? (FLAGS[letter] ?? word) : word), rest ?? value];
}

function once(name: string, before: string | undefined, value: string): string {
  if (before !== undefined) throw wrongUse(`--${name} is given twice: ${before} and ${value}`);
  return value;
}

function nonEmpty(name: string, value: string | undefined): string | undefined {
  if (value === '') throw wrongUse(`--${name} takes a name, not nothing`);
  return value;
}

function requestOf({ host, underlay, netns, source, files }: Draft): SourceRequest {
  if (source === undefined) {
    throw wrongUse(`--host ${host ?? ''} needs a source`, '`everlan import --host NAME SOURCE FILES…`');
  }
  if (netns !== undefined && source !== 'kernel') {
    throw wrongUse(`--netns says where to look at the kernel, and ${source} reads files`);
  }
  if (source === 'kernel' && files.length > 0)
    throw wrongUse(`kernel reads no files, and ${files.join(', ')} is given`);
  return { host: nonEmpty('host', host), underlay: addressOf(underlay), netns, source, files };
}

function addressOf(text: string | undefined): IpAddress | null {
  if (text === undefined) return null;
  const address = parseIp(text);
  if (address === null) throw wrongUse(`--underlay takes an IPv4 or IPv6 address, not “${text}”`);
  if (!isUnicast(address)) throw wrongUse(`--underlay takes the address of one host, not ${address}`);
  return address;
}
