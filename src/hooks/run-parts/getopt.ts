/** Options as getopt_long(3) of glibc reads them: abbreviations, clusters, operands anywhere, and its own messages. */

export interface LongOption {
  readonly name: string;
  readonly argument: boolean;
}

export interface Grammar {
  readonly long: readonly LongOption[];
  /** Letter → the long option that it stands for. */
  readonly short: Readonly<Record<string, string>>;
}

export type Item =
  | { readonly kind: 'option'; readonly name: string; readonly value: string }
  | { readonly kind: 'operand'; readonly text: string }
  /** Without the program's name; reading goes on behind it. */
  | { readonly kind: 'error'; readonly message: string };

const error = (message: string): Item => ({ kind: 'error', message });

/** The option that a word of `--word` or `--word=value` means, or the complaint. */
function findLong(text: string, long: readonly LongOption[]): LongOption | string {
  const word = text.split('=', 1)[0] ?? '';
  const exact = long.find(({ name }) => name === word);
  if (exact !== undefined) return exact;
  const near = long.filter(({ name }) => name.startsWith(word));
  const [first] = near;
  if (first === undefined) return `unrecognized option '--${text}'`;
  if (near.length === 1) return first;
  return `option '--${text}' is ambiguous; possibilities:${near.map(({ name }) => ` '--${name}'`).join('')}`;
}

function readLong(text: string, grammar: Grammar, next: () => string | undefined): Item {
  const found = findLong(text, grammar.long);
  if (typeof found === 'string') return error(found);
  const { name, argument } = found;
  const equals = text.indexOf('=');
  if (equals !== -1) {
    if (!argument) return error(`option '--${name}' doesn't allow an argument`);
    return { kind: 'option', name, value: text.slice(equals + 1) };
  }
  if (!argument) return { kind: 'option', name, value: '' };
  const value = next();
  return value === undefined ? error(`option '--${name}' requires an argument`) : { kind: 'option', name, value };
}

function* readShort(cluster: string, grammar: Grammar, next: () => string | undefined): Generator<Item> {
  for (let at = 0; at < cluster.length; at++) {
    const letter = cluster.charAt(at);
    const name = Object.hasOwn(grammar.short, letter) ? grammar.short[letter] : undefined;
    const option = grammar.long.find((candidate) => candidate.name === name);
    if (option === undefined) {
      yield error(`invalid option -- '${letter}'`);
    } else if (!option.argument) {
      yield { kind: 'option', name: option.name, value: '' };
    } else {
      const value = cluster.slice(at + 1) || next();
      yield value === undefined
        ? error(`option requires an argument -- '${letter}'`)
        : { kind: 'option', name: option.name, value };
      return;
    }
  }
}

/** Reads in order. `posix`: the first operand ends the options, as with POSIXLY_CORRECT in the environment. */
export function* getopt(args: readonly string[], grammar: Grammar, posix: boolean): Generator<Item> {
  let at = 0;
  const next = (): string | undefined => args[at++];
  for (let text = next(); text !== undefined; text = next()) {
    if (text === '--') break;
    if (text.startsWith('--')) yield readLong(text.slice(2), grammar, next);
    else if (text.startsWith('-') && text !== '-') yield* readShort(text.slice(1), grammar, next);
    else {
      yield { kind: 'operand', text };
      if (posix) break;
    }
  }
  for (let text = next(); text !== undefined; text = next()) yield { kind: 'operand', text };
}
