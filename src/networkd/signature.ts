/** D-Bus signatures: text such as `sa{sv}as` as a tree of types (D-Bus specification, Type System). */

/** The only error that reading and writing D-Bus bytes throws: they are not what the specification promises. */
export class WireError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WireError';
  }
}

const BASIC = 'ybnqiuxtdsog';
/** Also the most nested arrays and the most nested structs that a signature may have. */
const MOST_NESTED = 32;
const LONGEST_SIGNATURE = 255;

type BasicCode = 'y' | 'b' | 'n' | 'q' | 'i' | 'u' | 'x' | 't' | 'd' | 's' | 'o' | 'g';

export type Type =
  | { readonly code: BasicCode | 'v'; readonly alignment: number }
  | { readonly code: 'a'; readonly alignment: 4; readonly of: Type }
  /** An array of dictionary entries, `a{…}`. */
  | { readonly code: 'map'; readonly alignment: 4; readonly key: Type; readonly value: Type }
  | { readonly code: 'struct'; readonly alignment: 8; readonly fields: readonly Type[] };

const ALIGNMENT: Readonly<Record<BasicCode | 'v', number>> = {
  ...{ y: 1, b: 4, n: 2, q: 2, i: 4, u: 4, x: 8, t: 8, d: 8, s: 4, o: 4, g: 1, v: 1 },
};

const SIMPLE: ReadonlyMap<string, Type> = new Map(
  Object.entries(ALIGNMENT).map(([code, alignment]) => [code, { code: code as BasicCode | 'v', alignment }]),
);

class Parser {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  fail(why: string): never {
    throw new WireError(`signature ${JSON.stringify(this.text)}: ${why}`);
  }

  type(arrays: number, structs: number): Type {
    const code = this.text.charAt(this.at++);
    const simple = SIMPLE.get(code);
    if (simple !== undefined) return simple;
    if (code === 'a') return this.array(arrays + 1, structs);
    if (code === '(') return this.struct(arrays, structs + 1);
    return this.fail(code === '' ? 'it ends too early' : `no type ${JSON.stringify(code)} at ${this.at - 1}`);
  }

  array(arrays: number, structs: number): Type {
    if (arrays > MOST_NESTED) this.fail(`more than ${MOST_NESTED} arrays in each other`);
    if (this.text.charAt(this.at) !== '{') return { code: 'a', alignment: 4, of: this.type(arrays, structs) };
    // libdbus counts a dictionary entry as a struct.
    if (structs + 1 > MOST_NESTED) this.fail(`more than ${MOST_NESTED} structs in each other`);
    this.at++;
    if (!BASIC.includes(this.text.charAt(this.at) || ' ')) this.fail('the key of a dictionary must be a basic type');
    const key = this.type(arrays, structs + 1);
    const value = this.type(arrays, structs + 1);
    if (this.text.charAt(this.at++) !== '}') this.fail('a dictionary entry has two types');
    return { code: 'map', alignment: 4, key, value };
  }

  struct(arrays: number, structs: number): Type {
    if (structs > MOST_NESTED) this.fail(`more than ${MOST_NESTED} structs in each other`);
    const fields: Type[] = [];
    while (this.text.charAt(this.at) !== ')') fields.push(this.type(arrays, structs));
    this.at++;
    if (fields.length === 0) this.fail('a struct without fields');
    return { code: 'struct', alignment: 8, fields };
  }
}

/** @throws WireError for anything but a sequence of complete types. `h` counts as unknown: we never agree to pass file descriptors. */
export function parseSignature(text: string): readonly Type[] {
  const parser = new Parser(text);
  if (text.length > LONGEST_SIGNATURE) parser.fail(`longer than ${LONGEST_SIGNATURE} characters`);
  const types: Type[] = [];
  while (parser.at < text.length) types.push(parser.type(0, 0));
  return types;
}

/** The type of a variant: exactly one complete type. @throws WireError. */
export function parseSingle(text: string): Type {
  const [type, ...more] = parseSignature(text);
  if (type === undefined || more.length > 0) throw new WireError(`signature ${JSON.stringify(text)}: not one type`);
  return type;
}
