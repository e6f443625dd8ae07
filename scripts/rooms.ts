/**
 * Checks that every import in src/ keeps to rooms.table.ts, and that files make no circle. Prints each breach with its
 * reason, such as `src/plan/x.ts:3 imports kernel: plan is pure: it decides and never touches the kernel`; exits 1 then.
 */
import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix } from 'node:path';
import { PACKAGES, PURE_BUILTINS, ROOMS, TEST_FILES } from './rooms.table.ts';

export interface Import {
  /** As written: `../model/mac.ts`, `node:fs`, `yaml`; null when it is computed. */
  readonly target: string | null;
  readonly line: number;
  /** `start`: before the file's own code; `later`: when that code asks; `never`: a type, erased before the program runs. */
  readonly loaded: 'start' | 'later' | 'never';
}

/** Path from the checkout's root → text. */
export type Tree = ReadonlyMap<string, string>;

/**
 * One pattern for each way to import. The formatter keeps statements at the start of a line and strings in single
 * quotes, which is what these lean on.
 */
const STATEMENT = /^(?:import|export)(?<type>\s+type\b)?(?:[^;'"`]*?\bfrom\s*|\s*)'(?<target>[^']+)'/gm;
const CALL =
  /(?<typeof>\btypeof\s+)?\b(?:import|require|createRequire\([^)]*\))\(\s*(?:'(?<target>[^']+)'\s*[),]|(?<computed>[^)]))/g;
const IN_COMMENT = /^\s*(?:\*|\/\/|\/\*)/;

/** Every import of a file in the order of its lines. */
export function importsOf(text: string): Import[] {
  const lineOf = (index: number): number => text.slice(0, index).split('\n').length;
  const found: Import[] = [];
  for (const match of text.matchAll(STATEMENT)) {
    const { type, target = '' } = match.groups ?? {};
    found.push({ target, line: lineOf(match.index + match[0].length), loaded: type === undefined ? 'start' : 'never' });
  }
  for (const match of text.matchAll(CALL)) {
    const before = text.slice(text.lastIndexOf('\n', match.index) + 1, match.index);
    if (IN_COMMENT.test(before)) continue;
    // `import('x').Name` in a type is erased as well, but looks like a call: the stricter reading does no harm.
    const { typeof: typeOf, target } = match.groups ?? {};
    found.push({ target: target ?? null, line: lineOf(match.index), loaded: typeOf === undefined ? 'later' : 'never' });
  }
  return found.sort((a, b) => a.line - b.line);
}

const roomOf = (path: string): string => path.split('/')[1] ?? '';
const isTest = (path: string): boolean => TEST_FILES.some((pattern) => pattern.test(path));

/** `@scope/name/sub` → `@scope/name`. */
function packageOf(target: string): string {
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Why `path` may not import `target`, as `NAME: REASON`, or null when it may. */
function breach(path: string, target: string | null, tree: Tree): string | null {
  const name = roomOf(path);
  const room = ROOMS[name];
  if (room === undefined) return null;
  if (target === null) return 'a computed name: this check cannot follow it';
  if (target.startsWith('.')) {
    const file = posix.join(posix.dirname(path), target);
    if (file === 'package.json') return null;
    if (!tree.has(file)) return `${file}: there is no such file in src/`;
    if (isTest(file)) return `${file}: only tests may use it`;
    const other = roomOf(file);
    if (other === name || room.imports.includes(other)) return null;
    return `${other}: ${room.reasons?.[other] ?? room.because}`;
  }
  if (isBuiltin(target)) {
    if (room.pure === undefined || PURE_BUILTINS.includes(target)) return null;
    return `${target}: ${name} is pure and reaches nothing outside`;
  }
  const wanted = packageOf(target);
  if (room.packages?.includes(wanted)) return null;
  return `${wanted}: ${PACKAGES[wanted] ?? `no room of src/ loads it; name it in scripts/rooms.table.ts`}`;
}

/** Files that import each other round in a circle before the code of any of them runs. */
function circles(tree: Tree): string[] {
  const edges = new Map<string, string[]>();
  for (const [path, text] of tree) {
    const targets = importsOf(text).flatMap(({ target, loaded }) =>
      target?.startsWith('.') && loaded === 'start' ? [posix.join(posix.dirname(path), target)] : [],
    );
    edges.set(path, targets);
  }
  const found: string[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      found.push(`${[...trail.slice(at), path].join(' imports ')}: a circle`);
      return;
    }
    if (done.has(path)) return;
    trail.push(path);
    for (const target of edges.get(path) ?? []) visit(target);
    trail.pop();
    done.add(path);
  };
  for (const path of edges.keys()) visit(path);
  return found;
}

/** Every breach of the table in a tree of `src/ROOM/…` files, a line each. */
export function checkRooms(tree: Tree): string[] {
  const found: string[] = [];
  for (const [path, text] of tree) {
    if (path.split('/').length < 3) {
      found.push(`${path} stands in no room: put it into a folder of src/`);
      continue;
    }
    if (ROOMS[roomOf(path)] === undefined) {
      found.push(`${path} stands in an unknown room: describe ${roomOf(path)} in scripts/rooms.table.ts`);
      continue;
    }
    if (isTest(path)) continue;
    for (const { target, line } of importsOf(text)) {
      const why = breach(path, target, tree);
      if (why !== null) found.push(`${path}:${line} imports ${why}`);
    }
  }
  return [...found, ...circles(tree)];
}

function readTree(root: string): Tree {
  const paths = globSync('src/**/*.ts', { cwd: root }).sort();
  return new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

if (import.meta.main) {
  const tree = readTree(join(import.meta.dirname, '..'));
  const found = checkRooms(tree);
  for (const line of found) console.error(line);
  if (found.length === 0) console.log(`rooms: ${tree.size} files keep to the table`);
  else process.exitCode = 1;
}
