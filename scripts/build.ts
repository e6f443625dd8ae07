/**
 * The release in dist/: everlan.mjs, the entry; program.js, all the rest in one file; program.cache, what V8 compiled of
 * it; dispatcher.js and agent.js with their caches, the same of these commands alone; and koffi's binary. Nothing else is
 * needed to run it but Node.
 *
 * Node's own modules are taken by `process.getBuiltinModule`, and those that take milliseconds to load only when they
 * are first used: an import statement would load them, and every part of them, at the start.
 */
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import type * as Program from '../src/cli/run.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

/** Loaded when first used. The others come with Node itself, or are used at once. */
const SLOW = new Set(['node:crypto', 'node:child_process', 'node:net', 'node:timers/promises']);

const isName = (name: string): boolean => /^[A-Za-z_$][\w$]*$/.test(name) && name !== 'default';

/** A module that stands for one of Node's. What nothing uses is left out of the bundle. */
function standIn(name: string): string {
  if (name === 'node:process') return 'export default process;';
  const real = process.getBuiltinModule(name);
  if (real === undefined) throw new Error(`Node has no ${name}`);
  const module = `process.getBuiltinModule(${JSON.stringify(name)})`;
  const slow = SLOW.has(name);
  const lines = Object.entries(Object.getOwnPropertyDescriptors(real)).flatMap(([key, { value }]) => {
    if (!isName(key)) return [];
    if (!slow) return [`export const ${key} = /* @__PURE__ */ get(${JSON.stringify(key)});`];
    return typeof value === 'function' ? [`export const ${key} = (...args) => ${module}.${key}(...args);`] : [];
  });
  const all = slow ? `new Proxy({}, { get: (_, key) => ${module}[key] })` : module;
  return [`const get = (key) => ${module}[key];`, ...lines, `export default /* @__PURE__ */ (() => ${all})();`].join(
    '\n',
  );
}

const builtins: Plugin = {
  name: 'builtins',
  setup(build) {
    build.onResolve({ filter: /^(?:node:)?[a-z_/]+$/ }, ({ path }) =>
      isBuiltin(path)
        ? { path: path.startsWith('node:') ? path : `node:${path}`, namespace: 'builtin', sideEffects: false }
        : null,
    );
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({ contents: standIn(path), loader: 'js' }));
  },
};

/** What both bundles have in common. */
const COMMON: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node24',
  // Names stay, for stack traces in reports.
  minifySyntax: true,
  minifyWhitespace: true,
  charset: 'ascii',
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [builtins],
};

/** A small entry, as a module. */
const ENTRY: BuildOptions = {
  entryPoints: { everlan: 'src/cli/release.ts' },
  format: 'esm',
  outExtension: { '.js': '.mjs' },
};

/**
 * All the rest in one file, since to find and link another takes longer than to read past code that is not run: an
 * expression whose value is a function (folder, URL of this file) → what src/cli/run.ts exports.
 */
const PROGRAM: BuildOptions = {
  entryPoints: { program: 'src/cli/run.ts' },
  format: 'iife',
  globalName: 'program',
  define: { 'import.meta.dirname': 'folder', 'import.meta.url': 'url' },
  banner: { js: '(function (folder, url) {' },
  footer: { js: 'return program})' },
  external: ['koffi'],
};

/** Commands that stay in memory: each a file of its own without the other commands. */
const SERVICES = ['dispatcher', 'agent'] as const;

/** Node's own takes 2 ms to load when it is first used; the milliseconds are the same. */
const CLOCK = 'const performance = { now: () => process.uptime() * 1000 };';

const serviceOf = (name: string): BuildOptions => ({
  ...PROGRAM,
  entryPoints: { [name]: `src/cli/run-${name}.ts` },
  banner: { js: `${PROGRAM.banner?.js ?? ''}${CLOCK}` },
});

/** koffi's binaries of the C library that our own Node is made for, under the names that src/sys/libc.ts looks for. */
function copyBinaries(to: string): void {
  for (const arch of ['x64', 'arm64']) {
    const binary = join(root, `node_modules/@koromix/koffi-linux-${arch}/linux_${arch}/koffi.node`);
    if (existsSync(binary)) copyFileSync(binary, join(to, `koffi-${arch}.node`));
  }
}

/** An address of this machine, for a plan that gets as far as any. */
function someAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '198.51.100.1';
}

/** A file of the common kind. */
function sampleFabric(): string {
  const hosts = `hosts: {alpha: ${someAddress()}, beta: {underlay: 203.0.113.2}}`;
  const overlays = 'overlays: {build-sample: {vni: 77, hosts: {alpha: 169.254.0.1/24, beta: 169.254.0.2/24}}}';
  return `fabric: build-sample\n${hosts}\n${overlays}\n`;
}

/**
 * What V8 has compiled after some plans: a cache made before would hold nothing but the outermost functions. Plans read
 * this machine's links and change nothing.
 */
async function compile(to: string): Promise<void> {
  const filename = join(to, 'program.js');
  const script = new Script(readFileSync(filename, 'latin1'), { filename });
  const program: typeof Program = script.runInThisContext()(to, pathToFileURL(filename).href);
  const sample = join(to, 'sample.yaml');
  writeFileSync(sample, sampleFabric());
  const options = ['-q', '--host', 'alpha', '-f', sample];
  for (const command of ['plan', 'status']) await program.run([command, ...options]);
  rmSync(sample);
  writeFileSync(join(to, 'program.cache'), script.createCachedData());
}

/** Small enough to be compiled as a whole; its daemon cannot be tried out here. */
function compileService(to: string, name: string): void {
  const filename = join(to, `${name}.js`);
  setFlagsFromString('--no-lazy');
  const script = new Script(readFileSync(filename, 'latin1'), { filename });
  // V8 takes the cache only when its flags are those of the run.
  setFlagsFromString('--lazy');
  writeFileSync(join(to, `${name}.cache`), script.createCachedData());
}

async function make(to: string): Promise<void> {
  for (const part of [ENTRY, PROGRAM, ...SERVICES.map(serviceOf)]) await build({ ...COMMON, ...part, outdir: to });
  copyBinaries(to);
  await compile(to);
  for (const name of SERVICES) compileService(to, name);
}

// Beside the old one until it is whole: a build that fails, or a run meanwhile, finds the old one.
const made = `${dist}.new`;
const old = `${dist}.old`;

rmSync(made, { recursive: true, force: true });
try {
  await make(made);
  rmSync(old, { recursive: true, force: true });
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(made, dist);
  rmSync(old, { recursive: true, force: true });
  process.stdout.write(`dist: ${readdirSync(dist).join(', ')}\n`);
} catch (error) {
  // esbuild has said what is wrong with which line.
  if (!(error instanceof Error && 'errors' in error)) throw error;
  rmSync(made, { recursive: true, force: true });
  process.exitCode = 1;
}
