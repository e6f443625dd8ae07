/**
 * The entry of a release (scripts/build.ts): the program is one file, the dispatcher another, and beside each lies the
 * code that V8 made of it at build time. V8 looks whether the two and itself fit together, and else compiles as usual.
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import type * as Program from './run.ts';

const folder = import.meta.dirname;
const name = process.argv[2] === 'dispatcher' ? 'dispatcher' : 'program';
const filename = `${folder}/${name}.js`;

function compiled(): Buffer | undefined {
  try {
    return readFileSync(`${folder}/${name}.cache`);
  } catch {
    return undefined;
  }
}

/** In a function of its own, so that nothing keeps the texts alive. */
function load(): typeof Program {
  const cachedData = compiled();
  // Latin 1 reads fastest, and the build leaves nothing but ASCII.
  const script = new Script(readFileSync(filename, 'latin1'), {
    filename,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  return script.runInThisContext()(folder, pathToFileURL(filename).href);
}

const program = load();
process.exitCode = await program.run(process.argv.slice(2));
