/** What a lab did, for people and as JSON. */
import type { LabEvent, LabReport } from '../lab/lab.ts';
import type { Family } from '../model/address.ts';
import { EverlanError, EXIT } from '../model/problem.ts';
import type { Context } from './command.ts';
import { meshHeadline, meshJson, meshTable, type Proof, silences, underlayFamilies } from './mesh-text.ts';
import { warn } from './session.ts';
import { counted } from './text.ts';

const ms = (time: number): string => `${Math.round(time)} ms`;

function eventText(event: LabEvent): string {
  switch (event.kind) {
    case 'made':
      return `${counted(event.topology.hosts.length, 'host')} made in ${ms(event.ms)}`;
    case 'remade':
      return `${event.host.name} made anew in ${ms(event.ms)}`;
    case 'applied':
      return `${event.host}: ${counted(event.report.plan.steps.length, 'step')} applied and verified in ${ms(event.ms)}`;
    case 'proved':
      return `${counted(event.hosts, 'host')} asked in ${ms(event.ms)}`;
    default:
      return event satisfies never;
  }
}

/** Tells each event on standard error as it comes, unless that is not wanted. */
export function labProgress({ io, options }: Context): (event: LabEvent) => void {
  return (event) => {
    if (!options.quiet && (options.verbose || io.errIsTerminal)) io.err(io.errPaints.dim(eventText(event)));
  };
}

function proofsOf({ proofs, applied }: LabReport): Proof[] {
  return proofs.map(({ host, peers, unasked }) => {
    const desired = applied.get(host)?.desired;
    const underlayOf = desired === undefined ? (): Family => 4 : underlayFamilies(desired);
    return { host, peers, unasked, underlayOf };
  });
}

/** Prints a lab that is up; the exit code. @throws EverlanError, exit 1, when a peer did not answer. */
export function showLab(context: Context, report: LabReport, done: string): number {
  const { io, options } = context;
  const { fabric, topology, ok } = report;
  const proofs = proofsOf(report);
  if (!options.quiet) warn(context, report.warnings);
  if (options.json) {
    const hosts = topology.hosts.map(({ name, namespace, address }) => ({ name, namespace, underlay: address }));
    const asked = proofs.map((proof) => ({ host: proof.host, ...meshJson(proof) }));
    io.out(JSON.stringify({ version: 1, fabric, ok, hosts, proofs: asked }));
  } else if (!options.quiet) {
    const style = { paints: io.outPaints, all: options.verbose };
    io.out([meshHeadline(`lab ${fabric}, ${done}`, ok, style), '', ...meshTable(proofs, true, style)].join('\n'));
    const [first] = topology.hosts;
    if (first !== undefined) {
      io.out(`\nNamespaces ${fabric}-HOST. \`everlan lab exec ${first.name} -- ip -d link\` looks into one.`);
    }
  }
  if (!ok) throw new EverlanError(silences(proofs, true));
  return EXIT.done;
}
