/**
 * V8's code of one file, compiled as a whole: `node --random-seed=1 [FLAGS] code-cache.js FILE.js` writes FILE.cache. With a
 * seed that is given, the same file gives the same bytes; what is compiled does not depend on what a run meets on this
 * machine. V8 takes it under the same flags, the seed aside (src/cli/release.ts).
 * Not TypeScript: Node strips types by WebAssembly, which --jitless has none of.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

const [, , path = ''] = process.argv;
// The name gets into it, so it is the one that it will have; by way of bytes, or V8 would write out the parts that the
// text was put together from.
const filename = Buffer.from(`/usr/lib/everlan/${basename(path)}`).toString();
setFlagsFromString('--no-lazy');
const script = new Script(readFileSync(path, 'latin1'), { filename });
setFlagsFromString('--lazy');
writeFileSync(path.replace(/\.js$/, '.cache'), script.createCachedData());
