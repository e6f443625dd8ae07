/** The files of DEBIAN/ that follow from what is packed. Pure. */
import { createHash } from 'node:crypto';

export interface PackedFile {
  /** Absolute. */
  readonly to: string;
  readonly content: Uint8Array;
  readonly mode: number;
}

/** Fields of the control file beside those that are the same for all, or computed. */
export interface Fields {
  readonly section: string;
  /** One line, no full stop. */
  readonly summary: string;
  /** Paragraphs. */
  readonly description: readonly string[];
  readonly relations: Readonly<Record<string, readonly string[]>>;
}

export interface ControlInput {
  readonly name: string;
  readonly version: string;
  readonly arch: string;
  readonly control: Fields;
  readonly files: readonly PackedFile[];
  /** Empty ones. */
  readonly folders: readonly string[];
}

const MAINTAINER = 'everlan maintainers <maintainers@everlan.example>';
const WIDTH = 78;

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** In KiB: a file takes whole ones, a folder one (deb-substvars(5)). */
function installedSize({ files, folders }: ControlInput): number {
  const all = new Set(folders.map((folder) => folder));
  for (const { to } of files) {
    for (let end = to.lastIndexOf('/'); end > 0; end = to.lastIndexOf('/', end - 1)) all.add(to.slice(0, end));
  }
  return files.reduce((sum, { content }) => sum + Math.ceil(content.length / 1024), all.size);
}

/** deb-control(5) */
export function controlFile(input: ControlInput): string {
  const { name, version, arch, control } = input;
  const relations = Object.entries(control.relations).map(([field, names]) => `${field}: ${names.join(', ')}`);
  const paragraphs = control.description.map((text) => wrap(text).map((line) => ` ${line}`));
  return [
    `Package: ${name}`,
    `Version: ${version}`,
    `Architecture: ${arch}`,
    `Maintainer: ${MAINTAINER}`,
    `Installed-Size: ${installedSize(input)}`,
    ...relations,
    `Section: ${control.section}`,
    'Priority: optional',
    `Description: ${control.summary}`,
    ...paragraphs.flatMap((lines, i) => (i === 0 ? lines : [' .', ...lines])),
    '',
  ].join('\n');
}

const isConffile = ({ to }: PackedFile): boolean => to.startsWith('/etc/');
const byName = (a: PackedFile, b: PackedFile): number => (a.to < b.to ? -1 : 1);

/** deb-md5sums(5) */
export function md5sumsFile(files: readonly PackedFile[]): string {
  return files
    .filter((file) => !isConffile(file))
    .toSorted(byName)
    .map(({ to, content }) => `${createHash('md5').update(content).digest('hex')}  ${to.slice(1)}\n`)
    .join('');
}

/** deb-conffiles(5): what a person may change, and dpkg asks about. */
export function conffilesFile(files: readonly PackedFile[]): string {
  return files
    .filter(isConffile)
    .toSorted(byName)
    .map(({ to }) => `${to}\n`)
    .join('');
}
