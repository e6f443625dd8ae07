/** Which definition of this machine's netplan files stands for a link. */
import { readlinkSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { basename } from 'node:path';
import type { SourceFile } from '../import/found.ts';
import { SOURCES } from '../import/importers.ts';
import { importer } from '../import/netplan.ts';
import type { Definition } from '../import/netplan-definition.ts';
import { readNetwork } from '../import/netplan-definitions.ts';
import { PHYSICAL_TYPES } from '../import/netplan-keys.ts';
import { Report } from '../import/report.ts';
import { EverlanError } from '../model/problem.ts';
import { hasCode } from '../sys/errno.ts';
import { readPlaces } from './read-sources.ts';

/** A link as `match` of netplan(5) tells it from others. */
export interface NetplanLink {
  readonly name: string;
  /** null: not known. */
  readonly mac: string | null;
  readonly driver: string | null;
}

/** `*`, `?` and `[…]` as in fnmatch(3). */
function fits(pattern: string, text: string): boolean {
  const expression = pattern.replace(/\[!?[^\]]+\]|[*?]|[^*?[]+|\[/g, (part) => {
    if (part === '*') return '.*';
    if (part === '?') return '.';
    if (part.length > 2 && part.startsWith('[')) return part.replace(/^\[!/, '[^').replaceAll('\\', '\\\\');
    return RegExp.escape(part);
  });
  return new RegExp(`^${expression}$`, 's').test(text);
}

function drivers(definition: Definition): readonly string[] {
  const cell = definition.values.get('match.driver');
  return cell === undefined ? [] : [cell, ...cell.items()].flatMap(({ text }) => text ?? []);
}

/** The name is the one after all renaming, so a `match.name` before a `set-name` cannot be held against it. */
function stands(definition: Definition, { name, mac, driver }: NetplanLink): boolean {
  if (!PHYSICAL_TYPES.has(definition.type) || !definition.values.has('match')) return definition.id === name;
  const wanted = definition.text('match.macaddress');
  if (wanted !== undefined && mac !== null && wanted.toLowerCase() !== mac.toLowerCase()) return false;
  const patterns = drivers(definition);
  if (patterns.length > 0 && driver !== null && !patterns.some((pattern) => fits(pattern, driver))) return false;
  const renamed = definition.text('set-name');
  return renamed === undefined ? fits(definition.text('match.name') ?? '*', name) : renamed === name;
}

/** IDs of all definitions that fit: one, if the files are of one mind. */
export function netplanIdsOf(files: readonly SourceFile[], link: NetplanLink): readonly string[] {
  const { definitions } = readNetwork(files, new Report());
  return [...definitions.values()].filter((definition) => stands(definition, link)).map(({ id }) => id);
}

function driverOf(name: string): string | null {
  try {
    return basename(readlinkSync(`/sys/class/net/${name}/device/driver`));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES', 'ENOTDIR')) return null;
    throw error;
  }
}

/** netplan's ID of a link of this machine; null: there is none, more than one, or the files cannot be read. */
export function netplanIdHere(name: string): string | null {
  const [first] = networkInterfaces()[name] ?? [];
  const link = { name, mac: first?.mac ?? null, driver: driverOf(name) };
  try {
    const [id, ...more] = netplanIdsOf(readPlaces(SOURCES.netplan.places, importer.pattern), link);
    return id === undefined || more.length > 0 ? null : id;
  } catch (error) {
    if (error instanceof EverlanError) return null;
    throw error;
  }
}
