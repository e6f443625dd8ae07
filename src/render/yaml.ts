/**
 * Values as YAML text that readers of YAML 1.1 (libyaml) and 1.2 read alike: plain words where nobody could take them for
 * something else, else double quotes.
 */
import { EverlanError, EXIT, problem } from '../model/problem.ts';
import { oneLine } from './one-line.ts';

export type Yaml = boolean | number | string | readonly Yaml[] | YamlMap;
/** Keys stay in this order, also `10`. */
export type YamlMap = ReadonlyMap<string, Yaml>;

const PLAIN = /^(?:[a-z][a-z0-9._-]*|\d{1,3}(?:\.\d{1,3}){3}(?:\/\d{1,2})?)$/i;
/** Read as booleans or nothing by one of the two. */
const TAKEN = /^(?:y|yes|n|no|true|false|on|off|null)$/i;

function quoted(text: string): string {
  if (oneLine(text) !== text || !text.isWellFormed()) {
    throw new EverlanError(problem('yaml-value', `a line of YAML cannot hold ${JSON.stringify(text)}`), EXIT.usage);
  }
  // Which characters beyond ASCII may stand as they are, readers disagree on.
  return JSON.stringify(text).replace(/[^ -~]/gu, (char) => {
    const hex = (char.codePointAt(0) ?? 0).toString(16);
    return hex.length > 4 ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`;
  });
}

const textOf = (text: string): string => (PLAIN.test(text) && !TAKEN.test(text) ? text : quoted(text));

function isList(value: Yaml): value is readonly Yaml[] {
  return Array.isArray(value);
}

/** On one line. */
function flow(value: Yaml): string {
  if (typeof value === 'string') return textOf(value);
  if (typeof value !== 'object') return String(value);
  if (isList(value)) return `[${value.map(flow).join(', ')}]`;
  return `{${[...value].map(([key, item]) => `${textOf(key)}: ${flow(item)}`).join(', ')}}`;
}

function* block(map: YamlMap, indent: string): Generator<string> {
  for (const [key, value] of map) {
    const head = `${indent}${textOf(key)}:`;
    if (value instanceof Map && value.size > 0) {
      yield head;
      yield* block(value, `${indent}  `);
    } else if (typeof value === 'object' && isList(value) && value.some((item) => typeof item === 'object')) {
      yield head;
      for (const item of value) yield `${indent}  - ${flow(item)}`;
    } else yield `${head} ${flow(value)}`;
  }
}

/**
 * Maps as blocks, lists of scalars on one line. Numbers are finite.
 * @param comments a line each; they stand first.
 * @throws EverlanError for text that has control characters.
 */
export function yamlFile(comments: readonly string[], map: YamlMap): string {
  const lines = [...comments.map((line) => `# ${oneLine(line)}`), ...block(map, '')];
  return `${lines.join('\n')}\n`;
}
