/** The text of a fabric file → Fabric, or everything that is wrong with it. */
import type { Fabric, Overlay } from '../model/fabric.ts';
import { EverlanError, EXIT, type Problem } from '../model/problem.ts';
import { readDocument } from '../text/document.ts';
import type { YamlMap, YamlValue } from '../text/value.ts';
import { isTextKey, readFabricName, readMap, unknownKey } from './atoms.ts';
import { below, Findings, ROOT } from './findings.ts';
import { type Hosts, readHosts } from './hosts.ts';
import { FABRIC_KEYS } from './keys.ts';
import { type Draft, readOverlay } from './overlay.ts';
import { checkWhole } from './whole.ts';

/** Of a fabric file. */
export { MAX_BYTES } from '../text/decode.ts';

export type ParseResult =
  | { readonly ok: true; readonly fabric: Fabric; readonly warnings: readonly Problem[] }
  /** Errors and warnings, in the order of the text. */
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads and checks a whole file. `file` is its name in messages. Never throws. */
export function parseFabric(bytes: Uint8Array, file: string): ParseResult {
  const read = readDocument(bytes, file);
  const { document } = read;
  const textProblems = read.ok ? [] : read.problems;
  if (document === null) return { ok: false, problems: textProblems };
  const findings = new Findings();
  const fabric = readFabric(document.value, findings);
  const problems = findings.problems(document, textProblems);
  if (fabric === null || problems.some(({ severity }) => severity === 'error')) return { ok: false, problems };
  return { ok: true, fabric, warnings: problems };
}

/** Whether a file with these values has nothing wrong with it, not even what is worth a warning. What is wrong only its text tells. */
export function isSound(value: YamlValue): boolean {
  const findings = new Findings();
  return readFabric(value, findings) !== null && findings.count === 0;
}

/** `parseFabric` for callers that cannot go on without: throws EverlanError with every problem, exit code 2. */
export function parseFabricOrThrow(bytes: Uint8Array, file: string): { fabric: Fabric; warnings: readonly Problem[] } {
  const result = parseFabric(bytes, file);
  if (!result.ok) throw new EverlanError(result.problems, EXIT.usage);
  return result;
}

const KEYS = Object.keys(FABRIC_KEYS);

function readFabric(value: YamlValue, findings: Findings): Fabric | null {
  const map = readMap(value, 'a map with `fabric`, `hosts` and `overlays`', { what: 'the file', at: ROOT, findings });
  if (map === undefined) return null;
  for (const key of map.keys()) {
    if (isTextKey(key, ROOT, findings) && !KEYS.includes(key)) unknownKey(key, ROOT, KEYS, findings);
  }
  for (const key of KEYS) {
    if (!map.has(key)) findings.add('missing-key', below(ROOT, key), `the file needs \`${key}\``);
  }
  const at = below(ROOT, 'fabric');
  const name = map.has('fabric')
    ? readFabricName(map.get('fabric') ?? null, { what: 'fabric', at, findings })
    : undefined;
  const hosts: Hosts = map.has('hosts')
    ? readHosts(map.get('hosts') ?? null, below(ROOT, 'hosts'), findings)
    : { names: null, hosts: new Map() };
  const drafts = readOverlays(map, findings, hosts);
  checkWhole(drafts, hosts, findings);
  const overlays = new Map<string, Overlay>();
  for (const { overlay } of drafts) overlays.set(overlay.name, overlay);
  return { name: name ?? '', hosts: hosts.hosts, overlays };
}

function readOverlays(root: YamlMap, findings: Findings, hosts: Hosts): Draft[] {
  if (!root.has('overlays')) return [];
  const at = below(ROOT, 'overlays');
  const wanted = 'a map from the names of links to overlays, {} for none';
  const map = readMap(root.get('overlays') ?? null, wanted, { what: 'overlays', at, findings });
  const drafts: Draft[] = [];
  for (const [key, value] of map ?? []) {
    if (!isTextKey(key, at, findings)) continue;
    const draft = readOverlay(key, value, below(at, key), findings, hosts);
    if (draft !== undefined) drafts.push(draft);
  }
  return drafts;
}
