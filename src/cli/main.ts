/** The program's entry when it runs from its sources. */
import { run } from './run.ts';

process.exitCode = await run(process.argv.slice(2));
