/**
 * SHA-256 (FIPS 180-4) of short texts. Node's own is part of node:crypto, which takes 5 ms to load: a sixth of all the
 * time that Node itself takes to start.
 */

/** From here on it is worth loading: it hashes five times as fast as we do before our own code has run hot. */
const MANY = 300;

/** The first 32 bits of the fractional parts of the `power`-th roots of the first `count` primes. */
function rootBits(count: number, power: 2 | 3): Uint32Array {
  const bits = new Uint32Array(count);
  let found = 0;
  for (let n = 2; found < count; n++) {
    if (!isPrime(n)) continue;
    const root = power === 2 ? Math.sqrt(n) : Math.cbrt(n);
    bits[found++] = (root - Math.floor(root)) * 0x100000000;
  }
  return bits;
}

function isPrime(n: number): boolean {
  for (let i = 2; i * i <= n; i++) if (n % i === 0) return false;
  return true;
}

const K = Int32Array.from(rootBits(64, 3));
const START = Int32Array.from(rootBits(8, 2));
/** The message schedule: of one call at a time. */
const W = new Int32Array(64);

/** The word at `i`, which is inside: thousands of MACs are derived in one run. */
const at = (words: Int32Array, i: number): number => words[i] as number;

/** Takes the 16 words in W into the state. */
function mix(state: Int32Array): void {
  for (let t = 16; t < 64; t++) {
    const x = at(W, t - 15);
    const y = at(W, t - 2);
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    W[t] = (at(W, t - 16) + s0 + at(W, t - 7) + s1) | 0;
  }
  let a = at(state, 0);
  let b = at(state, 1);
  let c = at(state, 2);
  let d = at(state, 3);
  let e = at(state, 4);
  let f = at(state, 5);
  let g = at(state, 6);
  let h = at(state, 7);
  for (let t = 0; t < 64; t++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + at(K, t) + at(W, t)) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] = at(state, 0) + a;
  state[1] = at(state, 1) + b;
  state[2] = at(state, 2) + c;
  state[3] = at(state, 3) + d;
  state[4] = at(state, 4) + e;
  state[5] = at(state, 5) + f;
  state[6] = at(state, 6) + g;
  state[7] = at(state, 7) + h;
}

let calls = 0;

/** Hexadecimal, lower case. */
export function sha256(text: string): string {
  if (++calls > MANY) return process.getBuiltinModule('node:crypto').hash('sha256', text, 'hex');
  return ownSha256(text);
}

/** The same, always by ourselves. */
export function ownSha256(text: string): string {
  const bytes = Buffer.from(text);
  // A one bit, zeros, and the length in bits as 64: to whole blocks of 64 bytes.
  const padded = Buffer.alloc((((bytes.length + 8) >> 6) << 6) + 64);
  bytes.copy(padded);
  padded[bytes.length] = 0x80;
  padded.writeUInt32BE(bytes.length << 3, padded.length - 4);
  const state = START.slice();
  for (let block = 0; block < padded.length; block += 64) {
    for (let t = 0; t < 16; t++) W[t] = padded.readInt32BE(block + t * 4);
    mix(state);
  }
  const digest = Buffer.alloc(32);
  for (let i = 0; i < 8; i++) digest.writeInt32BE(at(state, i), i * 4);
  return digest.toString('hex');
}
