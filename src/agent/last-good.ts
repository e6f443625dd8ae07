/**
 * What the agent keeps over a reboot: the last good fabric file, so that a broken or missing one does not take the network
 * down, and which texts were applied with --confirm and never confirmed.
 */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { MAX_BYTES } from '../fabric/parse.ts';
import { DEFAULT_FILE } from '../model/fabric.ts';
import { type Problem, warning } from '../model/problem.ts';
import { SysError } from '../sys/errno.ts';
import { readRegular } from '../sys/read-file.ts';
import { ensureDir, UnsafePathError, writeAtomic } from '../sys/safe-dir.ts';
import type { AgentParts } from './parts.ts';

const DEFAULT_FOLDER = '/var/lib/everlan';
/** Of the fabric's texts nobody but root needs to know. */
const MODE = 0o600;
const UNCONFIRMED = 'unconfirmed';
const MOST_UNCONFIRMED = 16;
const HASH = /^[0-9a-f]{64}$/;
/** Characters of a file's own name that stand in the name under which it is kept; the rest tells the hash. */
const SHOWN = 40;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Where systemd lets the service keep its state (StateDirectory= in systemd.exec(5)); of several the first. */
export function stateFolder(environment: Readonly<Record<string, string | undefined>>): string {
  const first = environment.STATE_DIRECTORY?.split(':')[0];
  return first !== undefined && isAbsolute(first) ? resolve(first) : DEFAULT_FOLDER;
}

/** `fabric.yaml` for the default file; for any other one that its absolute path gives. */
function keptName(file: string): string {
  const path = resolve(file);
  if (path === DEFAULT_FILE) return basename(DEFAULT_FILE);
  return `${basename(path)
    .replace(/\.ya?ml$/, '')
    .slice(0, SHOWN)}-${sha256(path).slice(0, 8)}.yaml`;
}

/** What a disk, or somebody who spoilt the folder, may do to us; anything else is a defect. */
function whyNot(error: unknown): string {
  if (error instanceof UnsafePathError || error instanceof SysError) return error.message;
  if (error instanceof Error && 'syscall' in error) return error.message;
  throw error;
}

class Kept implements LastGood {
  readonly #folder: string;
  readonly #path: string;
  /** Marks that could not be written yet: hash → whether it is unconfirmed. */
  readonly #unwritten = new Map<string, boolean>();

  constructor(file: string, folder: string) {
    this.#folder = folder;
    this.#path = join(folder, keptName(file));
  }

  /** @throws as `ensureDir`. */
  #ensure(): void {
    ensureDir(this.#folder, dirname(this.#folder));
  }

  /** null: there is none such, or none that can be trusted. */
  #read(path: string): string | null {
    try {
      this.#ensure();
      const bytes = readRegular(path, MAX_BYTES, constants.O_NOFOLLOW);
      return bytes.length <= MAX_BYTES && isUtf8(bytes) ? Buffer.from(bytes).toString('utf8') : null;
    } catch (error) {
      whyNot(error);
      return null;
    }
  }

  #write(path: string, text: string): Problem | null {
    try {
      this.#ensure();
      writeAtomic(path, text, MODE, { durable: true });
      return null;
    } catch (error) {
      return warning('not-kept', `${path} cannot be written, so the next boot does not know of it: ${whyNot(error)}`);
    }
  }

  keep(text: string): Problem | null {
    // A disk that is spared is also one that need not be waited for.
    return this.#read(this.#path) === text ? null : this.#write(this.#path, text);
  }

  load(): { readonly text: string; readonly name: string } | null {
    const text = this.#read(this.#path);
    return text === null ? null : { text, name: this.#path };
  }

  /** Oldest first. */
  #unconfirmed(): Set<string> {
    const text = this.#read(join(this.#folder, UNCONFIRMED)) ?? '';
    const found = new Set(text.split('\n').filter((line) => HASH.test(line)));
    for (const [hash, is] of this.#unwritten) {
      found.delete(hash);
      if (is) found.add(hash);
    }
    return found;
  }

  #mark(text: string, is: boolean): Problem | null {
    if (!is && this.#unwritten.size === 0 && this.#unconfirmed().size === 0) return null;
    const hash = sha256(text);
    if (this.#unwritten.size === 0 && this.#unconfirmed().has(hash) === is) return null;
    this.#unwritten.delete(hash);
    this.#unwritten.set(hash, is);
    const lines = [...this.#unconfirmed()].slice(-MOST_UNCONFIRMED).map((each) => `${each}\n`);
    const problem = this.#write(join(this.#folder, UNCONFIRMED), lines.join(''));
    if (problem === null) this.#unwritten.clear();
    return problem;
  }

  markUnconfirmed(text: string): Problem | null {
    return this.#mark(text, true);
  }

  clearUnconfirmed(text: string): Problem | null {
    return this.#mark(text, false);
  }

  isUnconfirmed(text: string): boolean {
    const marks = this.#unconfirmed();
    // Mostly there are none: then nothing has to be loaded that makes hashes.
    return marks.size > 0 && marks.has(sha256(text));
  }
}

/** A disk that is full or may not be written is a problem that is returned, of severity warning; what it would have kept is still known. */
export type LastGood = AgentParts['lastGood'];

/**
 * @param file the one that the agent watches
 * @param folder made when it is not there; only what root or we alone can write is believed
 */
export function openLastGood(file: string, folder: string): LastGood {
  return new Kept(file, folder);
}
