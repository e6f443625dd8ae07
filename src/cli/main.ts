/** The program's entry when it runs from its sources. */
import { useCompileCache } from './compile-cache.ts';

useCompileCache();
const { run } = await import('./run.ts');
process.exitCode = await run(process.argv.slice(2));
