/** Rendered files as they are printed: for people to read, and for machines to split at the headers. */
import type { Rendered, RenderedFile } from '../render/target.ts';

/** The files of one host, or of all of them. */
export interface Tree {
  /** null: one tree for all hosts. */
  readonly host: string | null;
  readonly rendered: Rendered;
}

export const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

/** Below --output: with several hosts each has a folder of its own. */
export function placedFiles(trees: readonly Tree[], apart: boolean): readonly RenderedFile[] {
  return trees.flatMap(({ host, rendered }) =>
    rendered.files.map((file) => (apart && host !== null ? { ...file, path: `${host}/${file.path}` } : file)),
  );
}

/** A single file as it is; several with a line `# ==> PATH (MODE)` before each. */
export function filesText(files: readonly RenderedFile[]): string {
  const [only] = files;
  if (files.length === 1 && only !== undefined) return only.text;
  return files.map(({ path, text, mode }) => `# ==> ${path} (${octal(mode)})\n${text}`).join('\n');
}

/** @param written their texts are in the files, and need not be told again. */
export function filesJson(fabric: string, target: string, trees: readonly Tree[], written: boolean): string {
  return JSON.stringify({
    version: 1,
    fabric,
    target,
    trees: trees.map(({ host, rendered }) => ({
      host,
      files: rendered.files.map(({ path, mode, text }) => ({ path, mode: octal(mode), ...(written ? {} : { text }) })),
      notes: rendered.notes,
    })),
  });
}
