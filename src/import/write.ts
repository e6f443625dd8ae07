/** A fabric file's text, with comments. */
import type { IpAddress, Prefix } from '../model/address.ts';
import { OPTION_NAMES, type Option } from '../model/options.ts';
import type { YamlMap, YamlScalar, YamlValue } from '../text/value.ts';

export interface FabricFile {
  readonly name: string;
  /** Lines of the comment at the top. */
  readonly notes: readonly string[];
  readonly hosts: readonly FileHost[];
  readonly overlays: readonly FileOverlay[];
}

export interface FileHost {
  readonly name: string;
  readonly underlay: IpAddress;
  /** null: `none`; undefined: the link that holds the address. */
  readonly device: string | null | undefined;
  /** undefined: the same as the name. */
  readonly hostname: string | undefined;
  readonly notes: readonly string[];
}

export interface FileOverlay {
  readonly name: string;
  readonly vni: number;
  readonly members: ReadonlyMap<string, readonly Prefix[]>;
  /** As the file says them. */
  readonly options: ReadonlyMap<Option, YamlValue | undefined>;
  /** Where it was found. */
  readonly from: string;
  readonly notes: readonly string[];
}

/** The whole text, with a line feed at its end. The same for the same content. */
export function writeFabric({ name, notes, hosts, overlays }: FabricFile): string {
  const lines = comment(notes, '');
  if (lines.length > 0) lines.push('');
  lines.push(`fabric: ${scalar(name)}`, '', 'hosts:');
  for (const host of hosts) lines.push(...comment(host.notes, '  '), `  ${scalar(host.name)}: ${hostValue(host)}`);
  if (overlays.length === 0) lines.push('', 'overlays: {}');
  else lines.push('', 'overlays:');
  overlays.forEach((overlay, i) => {
    if (i > 0 && (overlays.length < MANY || overlay.notes.length > 0)) lines.push('');
    writeOverlay(overlay, lines);
  });
  lines.push('');
  return lines.join('\n');
}

/** What YAML 1.2 takes as it stands (section 5.1), without what ends a line, or what U+FEFF and surrogates may come to. */
const PLAIN_TEXT = /^[\n -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]*$/;

/** Whether YAML reads the values of `valuesOf` from what `writeFabric` wrote, whatever the names in it. */
export const isPlain = (text: string): boolean => PLAIN_TEXT.test(text);

/** The values that the text says, or null where a name stands twice. */
export function valuesOf({ name, hosts, overlays }: FabricFile): YamlMap | null {
  const hostMap = new Map<YamlScalar, YamlValue>();
  for (const host of hosts) hostMap.set(host.name, valueOfHost(host));
  const overlayMap = new Map<YamlScalar, YamlValue>();
  for (const overlay of overlays) overlayMap.set(overlay.name, valueOfOverlay(overlay));
  if (hostMap.size < hosts.length || overlayMap.size < overlays.length) return null;
  return new Map<YamlScalar, YamlValue>([
    ['fabric', name],
    ['hosts', orNothing(hostMap)],
    ['overlays', overlayMap],
  ]);
}

/** A key with no lines below it. */
const orNothing = (map: YamlMap): YamlMap | null => (map.size === 0 ? null : map);

function valueOfHost({ underlay, device, hostname }: FileHost): YamlValue {
  if (device === undefined && hostname === undefined) return underlay;
  const value = new Map<YamlScalar, YamlValue>([['underlay', underlay]]);
  if (device !== undefined) value.set('device', device ?? 'none');
  if (hostname !== undefined) value.set('hostname', hostname);
  return value;
}

function valueOfOverlay({ vni, members, options }: FileOverlay): YamlMap {
  const value = new Map<YamlScalar, YamlValue>([['vni', vni]]);
  for (const [option, said] of options) if (said !== undefined) value.set(option, said);
  const hosts = new Map<YamlScalar, YamlValue>();
  for (const [host, prefixes] of members) hosts.set(host, (prefixes.length < 2 ? prefixes[0] : prefixes) ?? null);
  return value.set('hosts', orNothing(hosts));
}

/** From so many overlays on, the empty lines between them no longer help. */
const MANY = 100;
const WIDTH = 110;

function comment(notes: readonly string[], indent: string): string[] {
  return notes.flatMap((note) => {
    const lines: string[] = [];
    let line = '';
    for (const word of visible(note).split(' ')) {
      if (line !== '' && indent.length + line.length + word.length > WIDTH) {
        lines.push(line);
        line = '  ';
      }
      line = line === '' || line === '  ' ? line + word : `${line} ${word}`;
    }
    return [...lines, line].map((each) => `${indent}# ${each}`.trimEnd());
  });
}

/** A name of a file may hold what would end the comment, or drive a terminal. */
const visible = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '�');

function hostValue({ underlay, device, hostname }: FileHost): string {
  if (device === undefined && hostname === undefined) return scalar(underlay);
  const parts = [`underlay: ${scalar(underlay)}`];
  if (device !== undefined) parts.push(`device: ${scalar(device ?? 'none')}`);
  if (hostname !== undefined) parts.push(`hostname: ${scalar(hostname)}`);
  return `{${parts.join(', ')}}`;
}

function writeOverlay({ name, vni, members, options, from, notes }: FileOverlay, lines: string[]): void {
  lines.push(...comment(notes, '  '));
  lines.push(`  ${scalar(name)}: # ${visible(from)}`, `    vni: ${vni}`);
  for (const option of OPTION_NAMES) {
    const value = options.get(option);
    if (value !== undefined) lines.push(...entry(option, value));
  }
  lines.push('    hosts:');
  for (const [host, prefixes] of members) lines.push(`      ${scalar(host)}: ${memberValue(prefixes)}`);
}

function memberValue(prefixes: readonly Prefix[]): string {
  const [first] = prefixes;
  if (first === undefined) return 'null';
  return prefixes.length === 1 ? scalar(first) : flow(prefixes);
}

/** One line, or one for each entry of what may be long. */
function entry(option: Option, value: unknown): string[] {
  const entries = value instanceof Map ? [...value] : null;
  if (entries !== null && entries.length > 0) {
    return [`    ${option}:`, ...entries.map(([key, item]) => `      ${flow(key)}: ${flow(item)}`)];
  }
  const line = `    ${option}: ${flow(value)}`;
  if (!Array.isArray(value) || line.length <= WIDTH) return [line];
  return [`    ${option}:`, ...value.map((item) => `      - ${flow(item)}`)];
}

function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (value instanceof Map) return `{${[...value].map(([key, item]) => `${flow(key)}: ${flow(item)}`).join(', ')}}`;
  return typeof value === 'string' ? scalar(value) : String(value);
}

/** Text that YAML 1.1 and 1.2 read as this very text without quotes, also inside of brackets. */
const PLAIN = /^(?!(?:true|false|null|yes|no|on|off|y|n)$)(?:[a-z][a-z0-9._/-]*|\d+\.\d+\.\d+\.\d+(?:\/\d+)?)$/i;

function scalar(text: string): string {
  return PLAIN.test(text) ? text : JSON.stringify(text);
}
