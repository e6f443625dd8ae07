/** `bridge fdb` (bridge(8)), and what `ethtool` and `brctl` do to links of a fabric. */
import { ZERO_MAC } from '../model/mac.ts';
import type { Scene } from './ip-link.ts';
import { abbreviates, CommandProblem, leaveOut, type Words } from './words.ts';

const FLAGS = [
  'self',
  'local',
  'permanent',
  'temp',
  'static',
  'dynamic',
  'master',
  'router',
  'extern_learn',
  'use',
  'sticky',
];
const VALUES = ['port', 'vni', 'src_vni', 'via', 'vlan', 'nhid'];

/** @returns whether it made something. */
export function bridgeFdb(words: Words, scene: Scene): boolean {
  const verb = words.next() ?? 'show';
  const making = ['add', 'append', 'replace', 'create'].some((name) => abbreviates(verb, name));
  const deleting = abbreviates(verb, 'delete');
  if (!making && !deleting) return false;
  const append = !abbreviates(verb, 'add') && abbreviates(verb, 'append');
  const replace = abbreviates(verb, 'replace');
  let device: string | undefined;
  let macText: string | undefined;
  let dst: string | undefined;
  let odd: string | undefined;
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (word === 'dev') device = words.after('dev');
    else if (word === 'dst') dst = words.after('dst');
    else if (VALUES.includes(word)) odd ??= `it has \`${word} ${words.after(word)}\``;
    else if (FLAGS.includes(word)) {
      if (word === 'master' || word === 'dynamic' || word === 'temp') odd ??= `it is \`${word}\``;
    } else macText = word === 'to' ? words.after('to') : word;
  }
  const { machine, report, place, command } = scene;
  if (device === undefined || macText === undefined || !machine.concerns(device)) return making;
  const link = machine.link(device, place(command));
  const mac = words.mac(macText);
  if (odd !== undefined || dst === undefined) {
    if (making)
      report.add(
        'source-left-out',
        place(command),
        `the row ${mac} of ${device} is left out: ${odd ?? 'it has no dst'}`,
      );
    return making;
  }
  const vtep = words.plain(dst);
  if (deleting) {
    if (scene.conditional) return false;
    if (mac === ZERO_MAC) link.flood.delete(vtep);
    else link.macs.delete(mac);
    return false;
  }
  if (mac === ZERO_MAC) {
    const taken = link.flood.size > 0 || (link.vxlan.remote ?? null) !== null;
    if (taken && !append) {
      const others = replace ? 'the flooding list has several rows' : 'there is a row for the all-zeros MAC already';
      throw new CommandProblem(
        'source-conflict',
        command,
        `${others}, so the kernel refuses this`,
        'say `bridge fdb append`',
      );
    }
    link.flood.add(vtep);
    link.places.set(`flood ${vtep}`, place(command));
  } else {
    if (link.macs.has(mac) && !append && !replace) {
      throw new CommandProblem(
        'source-conflict',
        command,
        `there is a row for ${mac} already, so the kernel refuses this`,
      );
    }
    link.macs.set(mac, vtep);
    link.places.set(`macs ${mac}`, place(command));
  }
  return true;
}

/** `ethtool -K LINK tx off` */
export function ethtool(words: Words, { machine, place, command }: Scene): boolean {
  const option = words.next();
  if (option !== '-K' && option !== '--features' && option !== '--offload') return false;
  const device = words.after('-K');
  if (!machine.concerns(device)) return false;
  const link = machine.link(device, place(command));
  for (let word = words.next(); word !== undefined; word = words.next()) {
    const value = words.after(word);
    if (word === 'tx' || word === 'tx-checksumming' || word === 'tx-checksum-ip-generic') {
      link.txChecksum = value !== 'off';
      link.places.set('tx-checksum-offload', place(command));
    } else leaveOut(words.span, `left out: the file has no words for ${word} of ${device}`);
  }
  return true;
}

/** `brctl addbr BRIDGE`, `brctl addif BRIDGE LINK…` */
export function brctl(words: Words, { machine, place, command }: Scene): boolean {
  const verb = words.next();
  if (verb !== 'addbr' && verb !== 'addif') return false;
  const bridge = words.after(verb);
  if (verb === 'addbr') {
    if (machine.find(bridge) === undefined) machine.make(bridge, 'bridge', place(command));
    return true;
  }
  machine.link(bridge, place(command));
  for (let name = words.next(); name !== undefined; name = words.next()) {
    const link = machine.link(name, place(command));
    link.master = bridge;
    link.places.set('bridge', place(words.span));
  }
  return true;
}
