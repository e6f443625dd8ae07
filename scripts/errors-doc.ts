/** Writes docs/errors.md from the catalogue: `node scripts/errors-doc.ts`. */
import { writeFileSync } from 'node:fs';
import { errorsDocument } from '../src/fabric/errors-document.ts';
import { IMPORT_ERROR_GROUPS } from '../src/import/errors.ts';

writeFileSync(new URL('../docs/errors.md', import.meta.url), errorsDocument(IMPORT_ERROR_GROUPS));
