/** What D-Bus values are in TypeScript, and the limits of their bytes (D-Bus specification, Type System). */
import { parseSignature, WireError } from './signature.ts';

/**
 * y n q i u d: number; x t: bigint; b: boolean; s o g: string; v: Variant; ay: Uint8Array; other arrays and structs:
 * list; a{…}: Map, where the last of equal keys wins.
 */
export type Value =
  | number
  | bigint
  | boolean
  | string
  | Uint8Array
  | Variant
  | readonly Value[]
  | ReadonlyMap<Value, Value>;

export interface Variant {
  /** One complete type. */
  readonly signature: string;
  readonly value: Value;
}

/** The specification's limits, in bytes. */
export const MAX_ARRAY = 64 * 1024 * 1024;
export const MAX_MESSAGE = 128 * 1024 * 1024;
/** Containers in each other, variants included. */
const MAX_DEPTH = 64;

const OBJECT_PATH = /^\/(?:[A-Za-z0-9_]+(?:\/[A-Za-z0-9_]+)*)?$/;

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

export const isVariant = (value: Value): value is Variant =>
  typeof value === 'object' && 'signature' in value && 'value' in value;

/** @throws WireError when `depth` containers are more than allowed. */
export function checkDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw new WireError(`more than ${MAX_DEPTH} containers in each other`);
}

/** @throws WireError. */
export function objectPath(text: string): string {
  if (!OBJECT_PATH.test(text)) throw new WireError(`${JSON.stringify(text)} is no object path`);
  return text;
}

/** @throws WireError. */
export function signatureText(text: string): string {
  parseSignature(text);
  return text;
}
