/** What V8 compiled, kept between runs from the sources: they start in less than half of the time. */
import { lstatSync, mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { dirname } from 'node:path';

/** Whoever can write to the cache can have us run their code, so it must be ours alone. */
function isOurs(folder: string): boolean {
  const found = lstatSync(folder);
  return found.isDirectory() && found.uid === process.geteuid?.() && (found.mode & 0o022) === 0;
}

/** Keeps it in .cache/ of the checkout, if nobody else can write there. */
export function useCompileCache(): void {
  if (process.env.NODE_COMPILE_CACHE !== undefined) return;
  const root = dirname(dirname(import.meta.dirname));
  const folder = `${root}/.cache`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    if (isOurs(root) && isOurs(folder)) enableCompileCache(folder);
  } catch {
    // A checkout that cannot be written to: it goes without.
  }
}
