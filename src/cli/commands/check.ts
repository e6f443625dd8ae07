/** `everlan check` */
import { echo } from '../../kernel/echo.ts';
import { meshTargets, readMesh } from '../../lab/mesh.ts';
import { EverlanError, EXIT } from '../../model/problem.ts';
import type { Run } from '../command.ts';
import { parseDuration } from '../duration.ts';
import { meshHeadline, meshJson, meshTable, type Proof, silences, underlayFamilies } from '../mesh-text.ts';
import { withHost } from '../session.ts';

const TIMEOUT = '3s';
/** Often enough that an address that is still in duplicate address detection costs little time. */
const EACH_MS = 250;

export const run: Run = (context) => {
  const { io, options } = context;
  const timeoutMs = parseDuration(options.text('timeout') ?? TIMEOUT, '--timeout') * 1000;
  return withHost(context, async ({ netns }, { desired, view }) => {
    const { targets, unasked } = meshTargets(desired, (link) => view.facts.links.get(link)?.mtu);
    const results = await echo(targets, { netns, timeoutMs, attempts: Math.ceil(timeoutMs / EACH_MS) });
    const peers = readMesh(targets, results);
    const ok = peers.every((peer) => peer.ok);
    const { fabric, host } = desired;
    const proof: Proof = { host, peers, unasked, underlayOf: underlayFamilies(desired) };
    if (options.json) io.out(JSON.stringify({ version: 1, fabric, host, ok, ...meshJson(proof) }));
    else if (!options.quiet) {
      const style = { paints: io.outPaints, all: options.verbose };
      io.out([meshHeadline(`${fabric} on ${host}`, ok, style), '', ...meshTable([proof], false, style)].join('\n'));
    }
    if (!ok) throw new EverlanError(silences([proof], false));
    return EXIT.done;
  });
};
