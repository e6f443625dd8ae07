/** The captured vectors; scripts/capture-vectors.ts tells how they came about. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Vector } from './datagram.ts';

export interface CapturedVector extends Vector {
  /** The file's name without `.json`. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

export function capturedVectors(): readonly CapturedVector[] {
  const names = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.json'));
  return names.sort().flatMap((name) => {
    const vectors: readonly Vector[] = JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8'));
    const file = name.slice(0, -'.json'.length);
    return vectors.map((vector) => ({ ...vector, file, bytes: new Uint8Array(Buffer.from(vector.hex, 'hex')) }));
  });
}
