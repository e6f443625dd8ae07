/** The demo's story, told while it happens. What it prints was just read from the kernel, or sent and received. */
import { parseFabricOrThrow } from '../fabric/parse.ts';
import { type EchoResult, echo } from '../kernel/echo.ts';
import { linkDetails } from '../kernel/link-details.ts';
import { knownMac } from '../kernel/neighbours.ts';
import { build } from '../kernel/plumbing.ts';
import type { IpAddress } from '../model/address.ts';
import { EverlanError, EXIT, problem } from '../model/problem.ts';
import { openNamespace } from '../sys/netns.ts';
import { applyOn, type HostOf, planOn } from './host.ts';
import { type LabEvent, type LabReport, type LabSource, labDown, labReboot, labs, labUp } from './lab.ts';
import { namespacesLeft } from './make.ts';
import { ms, Page, type Paper } from './page.ts';
import { showLink } from './show.ts';
import { namespacesOf, type Topology } from './topology.ts';

const PINGS = 4;
/** For an answer that should come, and for one that should not. */
const PRESENT = { timeoutMs: 3000, attempts: 1 } as const;
const ABSENT = { timeoutMs: 1000, attempts: 1 } as const;

/** One host asks another. */
interface Pair {
  readonly from: HostOf;
  readonly to: HostOf;
  readonly overlay: string;
  /** The link that has the addresses: the overlay's own, or its bridge. */
  readonly link: string;
  readonly address: IpAddress;
  readonly small: number;
  readonly full: number;
}

function expect(holds: boolean, message: string): void {
  if (!holds) throw new EverlanError(problem('demo-failed', `the demo ends here: ${message}`));
}

async function within<T>({ namespace }: HostOf, work: (netns: number) => T | Promise<T>): Promise<T> {
  const netns = openNamespace(namespace);
  try {
    return await work(netns.fd);
  } finally {
    netns.close();
  }
}

/** Both directions of the first pair that can ask each other. */
function pairsOf(report: LabReport, source: LabSource): readonly [Pair, Pair] {
  const { fabric } = parseFabricOrThrow(source.text, source.file);
  const of = (host: string): HostOf => ({ fabric, host, namespace: `${fabric.name}-${host}` });
  const pairs = report.proofs.flatMap(({ host, peers }) =>
    peers.map(({ peer, overlay, link, address, fullSize: full }): Pair => {
      const small = Math.min(full, address.includes(':') ? 104 : 84);
      return { from: of(host), to: of(peer), overlay, link, address, small, full };
    }),
  );
  const [first] = pairs;
  const back = pairs.find(
    ({ from, to, overlay }) => from.host === first?.to.host && to.host === first.from.host && overlay === first.overlay,
  );
  if (first === undefined || back === undefined) {
    throw new EverlanError(problem('demo-file', 'no overlay of the file has two members with addresses'), EXIT.usage);
  }
  return [first, back];
}

async function ask(pair: Pair, sizes: readonly number[], times = PRESENT as typeof PRESENT | typeof ABSENT) {
  const { from, link, address } = pair;
  const targets = sizes.map((size) => ({ link, address, size }));
  return within(from, (netns) => echo(targets, { ...times, netns }));
}

async function ping(page: Page, pair: Pair, sizes: readonly number[]): Promise<void> {
  const { address, from, to } = pair;
  for (const size of sizes) {
    const [result] = await ask(pair, [size]);
    if (result === undefined) continue;
    page.echo(address, size, result);
    expect(result.ok, `${size} bytes from ${from.host} to ${to.host} were lost`);
  }
}

function showTopology(page: Page, { hosts, segments }: Topology): void {
  const width = Math.max('router'.length, ...hosts.map(({ name }) => name.length));
  const gateways = segments.flatMap(({ gateway }) => gateway ?? []);
  page.show(hosts.map(({ name, address, device }) => `${name.padEnd(width)}  ${address} on ${device.name}`));
  if (gateways.length > 0) page.show([`${'router'.padEnd(width)}  ${gateways.join(' and ')}`]);
}

async function makeAndApply(page: Page, source: LabSource): Promise<LabReport> {
  page.chapter('One file describes the overlay');
  page.show(new TextDecoder().decode(source.text).trimEnd().split('\n'));
  let applied = 0;
  const report = await labUp(source, {
    progress: (event: LabEvent) => {
      if (event.kind === 'made') {
        page.chapter('Its hosts: a network namespace each, and a router between them');
        showTopology(page, event.topology);
        page.good(`made in ${ms(event.ms)}`);
      } else if (event.kind === 'applied') {
        if (applied++ === 0) page.chapter('The same file on each: every host finds itself and makes its part');
        page.command(event.host, 'everlan apply');
        page.plan(event.report.plan);
        page.good(`done and verified in ${ms(event.ms)}`);
      }
    },
  });
  const silent = report.proofs.flatMap(({ host, peers }) =>
    peers.filter(({ ok }) => !ok).map((one) => ({ host, ...one })),
  );
  const [first] = silent;
  if (first !== undefined) expect(false, `${first.peer} (${first.address}) does not answer ${first.host}`);
  return report;
}

async function showIt(page: Page, { from, overlay, link }: Pair): Promise<void> {
  const bridged = link !== overlay;
  page.chapter('What the kernel has now');
  if (bridged) page.say(`${overlay} on ${from.host}, a port of ${link}:`);
  else page.command(from.host, `ip -d link show ${overlay}`);
  const details = await within(from, (netns) => linkDetails(netns, overlay));
  if (details === null) return expect(false, `${from.host} has no ${overlay}`);
  page.show(showLink(details));
  const plan = await planOn(from);
  page.command(from.host, 'everlan plan');
  expect(plan.steps.length === 0, 'a second plan is not empty');
  page.good('nothing to do');
}

async function cross(page: Page, there: Pair, back: Pair): Promise<void> {
  page.chapter('Packets cross, small ones and the largest that fit without being cut');
  for (const pair of [there, back]) {
    page.command(pair.from.host, `echo to ${pair.to.host} over ${pair.overlay}`);
    const count = pair === there ? PINGS : 1;
    await ping(page, pair, [...new Array<number>(count).fill(pair.small), pair.full]);
  }
}

async function breakIt(page: Page, pair: Pair): Promise<void> {
  const { from, to, overlay, address, small, full } = pair;
  page.chapter(`Somebody deletes ${overlay} on ${to.host}`);
  page.command(to.host, `ip link delete ${overlay}`);
  await within(to, (netns) => {
    const link = linkDetails(netns, overlay);
    if (link !== null) build(netns, [{ kind: 'remove', index: link.index }]);
    expect(linkDetails(netns, overlay) === null, `${overlay} is still there`);
  });
  page.command(from.host, 'everlan check');
  const results: readonly EchoResult[] = await ask(pair, [small, full], ABSENT);
  for (const [i, size] of [small, full].entries()) {
    const result = results[i];
    if (result !== undefined) page.echo(address, size, result);
  }
  expect(
    results.every(({ ok }) => !ok),
    `${to.host} answers although its ${overlay} is gone`,
  );
  page.command(to.host, 'everlan plan');
  const plan = await planOn(to);
  page.plan(plan);
  expect(plan.steps.length > 0, 'the plan does not see it');
}

async function healIt(page: Page, pair: Pair): Promise<void> {
  const { from, to } = pair;
  page.chapter('apply heals it');
  page.command(to.host, 'everlan apply');
  const { ms: time, report } = await applyOn(to);
  page.good(`${report.plan.steps.length} steps, done and verified in ${ms(time)}`);
  page.command(from.host, `echo to ${to.host}`);
  await ping(page, pair, [pair.small, pair.full]);
}

async function rebootIt(page: Page, pair: Pair, fabric: string): Promise<void> {
  const { from, to, overlay, address, small, full } = pair;
  const macOf = () => within(to, (netns) => linkDetails(netns, overlay)?.mac);
  const entryOf = () => within(from, (netns) => knownMac(netns, address));
  const [mac, entry] = [await macOf(), await entryOf()];
  page.chapter(`${to.host} reboots: its namespace goes with all that was in it, and comes anew`);
  const report = await labReboot(fabric, to.host, {
    progress: (event: LabEvent) => {
      if (event.kind === 'remade') page.good(`made anew in ${ms(event.ms)}`);
      else if (event.kind === 'applied') {
        page.command(event.host, 'everlan apply');
        page.plan(event.report.plan);
        page.good(`done and verified in ${ms(event.ms)}`);
      }
    },
  });
  expect((await macOf()) === mac, `${overlay} of ${to.host} has another MAC than before`);
  page.say(`The MAC of ${overlay} is ${mac}, as before: everlan derives it from the names.`);
  if (entry !== null) {
    expect((await entryOf()) === entry, `${from.host} had to learn the MAC of ${address} again`);
    page.say(`What ${from.host} knew is still true: ${address} is at ${entry}. The first packets after it:`);
  }
  const proof = report.proofs
    .find(({ host }) => host === from.host)
    ?.peers.find((peer) => peer.peer === to.host && peer.overlay === overlay && peer.address === address);
  if (proof === undefined) return expect(false, `${to.host} was not asked`);
  page.echo(address, small, proof.small);
  page.echo(address, full, proof.full);
  expect(report.ok, `not every host is reached after the reboot of ${to.host}`);
}

async function takeDown(page: Page, report: LabReport): Promise<void> {
  page.chapter('All of it is taken down');
  const start = performance.now();
  const { removed, left } = await labDown(report.fabric);
  const time = performance.now() - start;
  const remaining = namespacesLeft(namespacesOf(report.topology));
  expect(left.length === 0 && remaining.length === 0 && labs().length === 0, `something is left: ${remaining}`);
  page.good(`${removed.length} namespaces removed in ${ms(time)}, nothing left`);
}

/** @throws EverlanError, exit 1, as soon as something is not as the story says. */
export async function tell(source: LabSource, paper: Paper): Promise<number> {
  const start = performance.now();
  const page = new Page(paper);
  page.title('everlan demo: VXLAN overlays that are still there tomorrow');
  page.say('Everything happens now, in namespaces of this program alone. Your network is not touched.');
  page.say('After a $ stands what one would type there; the demo does the same through the same code.');
  const report = await makeAndApply(page, source);
  const [there, back] = pairsOf(report, source);
  await showIt(page, there);
  await cross(page, there, back);
  await breakIt(page, there);
  await healIt(page, there);
  await rebootIt(page, there, report.fabric);
  await takeDown(page, report);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  page.blank();
  page.title(`That was all of it, in ${seconds} s.`);
  page.say('On real hosts: the file as /etc/everlan/fabric.yaml on each, then `everlan plan` and `everlan apply`.');
  return EXIT.done;
}
