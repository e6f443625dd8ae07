/** The words of one command of iproute2, read one after the other as it reads them. */
import { type IpAddress, type Prefix, parseIp, parsePrefix } from '../model/address.ts';
import { type Mac, parseMac } from '../model/mac.ts';
import type { Value } from './shell-run.ts';
import type { Span } from './shell-tree.ts';
import type { ToolCode } from './tool-errors.ts';

/** The command as a whole is left out, or refused. */
export class CommandProblem extends Error {
  readonly code: ToolCode;
  readonly span: Span;
  readonly hint: string | undefined;

  constructor(code: ToolCode, span: Span, message: string, hint?: string) {
    super(message);
    this.code = code;
    this.span = span;
    this.hint = hint;
  }
}

export const leaveOut = (span: Span, message: string): never => {
  throw new CommandProblem('source-left-out', span, message);
};

/** Whether iproute2 takes `word` for `full`: any beginning of it (`matches` in lib/utils.c). */
export const abbreviates = (word: string, full: string): boolean => word !== '' && full.startsWith(word);

/** The same answers for the same words: scripts of many links say few different ones. */
export function remembering<T>(find: (word: string) => T): (word: string) => T {
  const known = new Map<string, T>();
  return (word) => {
    const before = known.get(word);
    if (before !== undefined) return before;
    const found = find(word);
    if (known.size < MOST_REMEMBERED) known.set(word, found);
    return found;
  };
}

const OCTAL = /^0[0-7]+$/;
const WHOLE = /^(?:\d+|0x[0-9a-f]+)$/i;

const MOST_REMEMBERED = 1000;

export class Words {
  readonly #values: readonly Value[];
  readonly #command: Span;
  #at = 0;
  #last: Span;

  /** @param command the whole, for what is missing at its end. */
  constructor(values: readonly Value[], command: Span) {
    this.#values = values;
    this.#command = command;
    this.#last = command;
  }

  /** Of the word that was read last. */
  get span(): Span {
    return this.#last;
  }

  get done(): boolean {
    return this.#at >= this.#values.length;
  }

  /** What comes next, without reading it; null: nothing, or not known. */
  get ahead(): string | null {
    return this.#values[this.#at]?.text ?? null;
  }

  /** undefined: there is no further word. @throws CommandProblem where only a running shell can tell it. */
  next(): string | undefined {
    const value = this.#values[this.#at];
    if (value === undefined) return undefined;
    this.#at++;
    this.#last = value;
    if (value.text === null) return leaveOut(value, 'left out: this is known only when the script runs');
    return value.text;
  }

  rest(): readonly Value[] {
    return this.#values.slice(this.#at);
  }

  /** The value behind a keyword. */
  after(key: string): string {
    return this.next() ?? this.#fail('source-missing', this.#command, `${key} needs a value`);
  }

  #fail(code: ToolCode, span: Span, message: string, hint?: string): never {
    throw new CommandProblem(code, span, message, hint);
  }

  refuse(message: string, hint?: string): never {
    this.#fail('source-value', this.#last, message, hint);
  }

  /** As strtoul with base 0 reads it: decimal, 0x…, or octal behind a 0. */
  number(key: string, most: number): number {
    const text = this.after(key);
    const value = OCTAL.test(text) ? Number.parseInt(text, 8) : WHOLE.test(text) ? Number(text) : Number.NaN;
    if (value <= most) return value;
    return this.refuse(`${key} takes a whole number up to ${most}, not “${text}”`);
  }

  /** null: `any`, 0.0.0.0 and ::, which stand for none. */
  address(key: string): IpAddress | null {
    const text = this.after(key);
    if (text === 'any' || text === 'default') return null;
    const address = parseIp(text);
    if (address === null) return this.refuse(`${key} takes an address, not “${text}”`);
    return address === '0.0.0.0' || address === '::' ? null : address;
  }

  /** An address without a prefix length. */
  plain(text: string): IpAddress {
    return parseIp(text) ?? this.refuse(`an address is expected, not “${text}”`);
  }

  /** Without a length: one address alone. */
  prefix(text: string): Prefix {
    const address = parseIp(text);
    const full = address === null ? text : `${text}/${address.includes(':') ? 128 : 32}`;
    const prefix = parsePrefix(full);
    if (prefix === null) {
      return this.refuse(`an address with its prefix length is expected, not “${text}”`);
    }
    return prefix;
  }

  mac(text: string): Mac {
    return parseMac(text.replaceAll('-', ':')) ?? this.refuse(`a MAC address is expected, not “${text}”`);
  }
}
