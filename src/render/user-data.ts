/** cloud-init's user-data: packages, files and commands (`#cloud-config`). */
import { comment } from './shell.ts';
import type { RenderedFile } from './target.ts';

/**
 * Text that may stand as it is in a block of YAML, indented: printable in YAML 1.1, without what breaks lines there beside
 * the line feed, and with one of those at its end.
 */
const BLOCK = /^[\x21-\x7e][\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]*(?<!\n)\n$/;

/** A word in double quotes; whatever is not plain ASCII as YAML writes it. */
function word(text: string): string {
  return JSON.stringify(text).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function* fileLines({ path, text, mode }: RenderedFile): Generator<string> {
  yield `  - path: ${word(`/${path}`)}`;
  yield `    permissions: ${word(mode.toString(8).padStart(4, '0'))}`;
  yield '    owner: root:root';
  if (BLOCK.test(text)) {
    yield '    content: |';
    for (const line of text.slice(0, -1).split('\n')) yield line === '' ? '' : `      ${line}`;
  } else {
    yield '    encoding: b64';
    yield `    content: ${word(Buffer.from(text).toString('base64'))}`;
  }
}

/** @param commands run once, at the first boot, in this order, each as a list of words without a shell. */
export function userData(
  comments: readonly string[],
  packages: readonly string[],
  files: readonly RenderedFile[],
  commands: readonly (readonly string[])[],
): string {
  const lines = [
    '#cloud-config',
    ...comments.map(comment),
    ...(packages.length === 0 ? [] : [`packages: [${packages.map(word).join(', ')}]`]),
    'write_files:',
    ...files.flatMap((file) => [...fileLines(file)]),
    'runcmd:',
    ...commands.map((words) => `  - [${words.map(word).join(', ')}]`),
  ];
  return `${lines.join('\n')}\n`;
}
