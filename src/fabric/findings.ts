/** Collects what is wrong with a file; places are looked up once, at the end, and only if there is anything. */
import type { Problem } from '../model/problem.ts';
import type { ErrorRow } from '../text/errors.ts';
import type { Source } from '../text/lines.ts';
import { type Part, type Path, Positions } from '../text/positions.ts';
import type { YamlScalar } from '../text/value.ts';
import { type Code, ERRORS } from './errors.ts';

/** Where in the file, as a chain to the root: nothing is copied on the way down. */
export interface At {
  readonly up: At | null;
  readonly step: YamlScalar;
}

export const ROOT: At = { up: null, step: null };

export function below(up: At, step: YamlScalar): At {
  return { up, step };
}

function pathOf(at: At): Path {
  const path: YamlScalar[] = [];
  for (let node = at; node.up !== null; node = node.up) path.push(node.step);
  return path.reverse();
}

interface Finding {
  readonly code: Code;
  readonly at: At;
  readonly part: Part;
  readonly message: string;
  readonly hint: string | undefined;
}

export class Findings {
  readonly #list: Finding[] = [];

  get count(): number {
    return this.#list.length;
  }

  /** `hint` takes the place of the catalogue's. */
  add(code: Code, at: At, message: string, hint?: string): void {
    this.#list.push({ code, at, part: 'value', message, hint });
  }

  /** The same about the key at `at`. */
  addKey(code: Code, at: At, message: string, hint?: string): void {
    this.#list.push({ code, at, part: 'key', message, hint });
  }

  /** In the order of the text. */
  problems(source: Source, others: readonly Problem[] = []): Problem[] {
    if (this.#list.length === 0) return [...others];
    const positions = new Positions(source);
    const found = this.#list.map(({ code, at, part, message, hint }) => {
      const row: ErrorRow = ERRORS[code];
      const advice = hint ?? row.hint;
      const place = positions.locate(pathOf(at), part);
      return { code, severity: row.severity, message, place, ...(advice === undefined ? {} : { hint: advice }) };
    });
    return [...others, ...unique(found)].sort(byPlace);
  }
}

function byPlace(a: Problem, b: Problem): number {
  if (a.place === undefined || b.place === undefined)
    return Number(a.place !== undefined) - Number(b.place !== undefined);
  return a.place.line - b.place.line || a.place.column - b.place.column;
}

/** What an alias repeats is reported once. */
function unique(problems: readonly Problem[]): Iterable<Problem> {
  const seen = new Map<string, Problem>();
  for (const problem of problems) {
    seen.set(`${problem.code} ${problem.place?.line}:${problem.place?.column} ${problem.message}`, problem);
  }
  return seen.values();
}
