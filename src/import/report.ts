/** Collects what is wrong with one host's files, in the order of the files and of their lines. */
import type { Place, Problem } from '../model/problem.ts';
import { TOOL_ERRORS, type ToolCode } from './tool-errors.ts';

export class Report {
  readonly #problems: Problem[] = [];

  add(code: ToolCode, place: Place | undefined, message: string, hint?: string): undefined {
    const problem = { code, severity: TOOL_ERRORS[code].severity, message };
    this.#problems.push({
      ...problem,
      ...(place === undefined ? {} : { place }),
      ...(hint === undefined ? {} : { hint }),
    });
    return undefined;
  }

  /** Problems that were made elsewhere. */
  take(problems: readonly Problem[]): void {
    this.#problems.push(...problems);
  }

  /** @param files their order. */
  problems(files: readonly { readonly path: string }[]): readonly Problem[] {
    const order = new Map(files.map(({ path }, i) => [path, i]));
    const file = ({ place }: Problem): number => order.get(place?.file ?? '') ?? -1;
    return this.#problems.toSorted(
      (a, b) =>
        file(a) - file(b) ||
        (a.place?.line ?? 0) - (b.place?.line ?? 0) ||
        (a.place?.column ?? 0) - (b.place?.column ?? 0),
    );
  }
}
