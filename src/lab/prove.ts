/** Sends the echoes of all hosts, in as many waves as the kernel's neighbour tables ask for. */
import { type EchoOptions, type EchoResult, echo } from '../kernel/echo.ts';
import { forgetNeighbours } from '../kernel/neighbours.ts';
import { openNamespace } from '../sys/netns.ts';
import { MESH_TIMES, type Mesh, type MeshTarget, type PeerProof, readMesh, type Unasked } from './mesh.ts';

export interface Prover {
  readonly host: string;
  readonly namespace: string;
  readonly mesh: Mesh;
}

export interface HostProof {
  readonly host: string;
  readonly peers: readonly PeerProof[];
  readonly unasked: readonly Unasked[];
}

/**
 * Targets that are asked at once. All namespaces of a machine share one table of neighbours with room for 1024 that are
 * in use (net.ipv4.neigh.default.gc_thresh3), and one that is asked may take four: the overlay's and the underlay's,
 * at both ends. Each of them is asked twice.
 */
const WAVE = 300;

interface Part {
  readonly prover: Prover;
  readonly targets: readonly MeshTarget[];
}

/** Cuts the work into waves; a host with many peers may be in several. */
export function wavesOf(provers: readonly Prover[], most = WAVE): readonly (readonly Part[])[] {
  const waves: Part[][] = [];
  let wave: Part[] = [];
  let room = 0;
  for (const prover of provers) {
    const { targets } = prover.mesh;
    for (let at = 0; at < targets.length; ) {
      if (room === 0) {
        wave = [];
        waves.push(wave);
        room = most;
      }
      const part = targets.slice(at, at + room);
      wave.push({ prover, targets: part });
      at += part.length;
      room -= part.length;
    }
  }
  return waves;
}

async function inside<T>(namespace: string, work: (netns: number) => T | Promise<T>): Promise<T> {
  const netns = openNamespace(namespace);
  try {
    return await work(netns.fd);
  } finally {
    netns.close();
  }
}

/** Proofs in the order of `provers`. Peers that do not answer are results, not errors. */
export async function proveAll(
  provers: readonly Prover[],
  times: Omit<EchoOptions, 'netns'> = MESH_TIMES,
): Promise<readonly HostProof[]> {
  const results = new Map<Prover, EchoResult[]>(provers.map((prover) => [prover, []]));
  const waves = wavesOf(provers);
  for (const [number, wave] of waves.entries()) {
    if (number > 0) for (const { namespace } of provers) await inside(namespace, forgetNeighbours);
    const answers = await Promise.all(
      wave.map(({ prover, targets }) => inside(prover.namespace, (netns) => echo(targets, { ...times, netns }))),
    );
    for (const [i, { prover }] of wave.entries()) results.get(prover)?.push(...(answers[i] ?? []));
  }
  return provers.map((prover) => {
    const { host, mesh } = prover;
    return { host, peers: readMesh(mesh.targets, results.get(prover) ?? []), unasked: mesh.unasked };
  });
}
