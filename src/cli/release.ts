/**
 * The entry of a release (scripts/build.ts): the program is one file, the dispatcher and the agent others, and beside each lies the
 * code that V8 made of it at build time. V8 looks whether the two and itself fit together, and else compiles as usual.
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import type * as Program from './run.ts';
import type * as AgentProgram from './run-agent.ts';

const folder = import.meta.dirname;

/** What stays in memory has a program of its own. */
const SERVICES = new Set(['dispatcher', 'agent']);

function compiled(name: string): Buffer | undefined {
  try {
    return readFileSync(`${folder}/${name}.cache`);
  } catch {
    return undefined;
  }
}

/** In a function of its own, so that nothing keeps the texts alive. */
function load(name: string): typeof Program | typeof AgentProgram {
  const filename = `${folder}/${name}.js`;
  const cachedData = compiled(name);
  // Latin 1 reads fastest, and the build leaves nothing but ASCII.
  const script = new Script(readFileSync(filename, 'latin1'), {
    filename,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  return script.runInThisContext()(folder, pathToFileURL(filename).href);
}

const args = process.argv.slice(2);
const [command = ''] = args;
const code = SERVICES.has(command) ? await load(command).run(args) : null;
// null: arguments that only the whole program understands, such as --help.
process.exitCode = code ?? (await load('program').run(args)) ?? undefined;
