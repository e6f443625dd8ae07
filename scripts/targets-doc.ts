/** Writes docs/targets.md from what each target says of itself: `node scripts/targets-doc.ts`. */
import { writeFileSync } from 'node:fs';
import { targetsDocument } from '../src/render/targets-document.ts';

writeFileSync(new URL('../docs/targets.md', import.meta.url), await targetsDocument());
