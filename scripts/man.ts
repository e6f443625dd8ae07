/** The man pages, from the tables that help texts and checks come from: `node scripts/man.ts DIR` writes them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readChangelog } from './deb/changelog.ts';
import { agentParts } from './man/agent.ts';
import { dispatcherParts } from './man/dispatcher.ts';
import { everlanParts } from './man/everlan.ts';
import { fabricParts } from './man/fabric.ts';
import { page } from './man/roff.ts';

export interface ManPage {
  readonly name: string;
  readonly section: number;
  readonly text: string;
}

const PAGES: readonly { name: string; section: number; summary: string; parts: () => readonly string[] }[] = [
  { name: 'everlan', section: 1, summary: 'VXLAN overlays that are still there tomorrow', parts: everlanParts },
  { name: 'fabric.yaml', section: 5, summary: 'the overlays of all hosts, for everlan', parts: fabricParts },
  { name: 'everlan-agent', section: 8, summary: 'keep this host as the fabric file says', parts: agentParts },
  {
    name: 'networkd-dispatcher',
    section: 8,
    summary: 'run scripts on the states of systemd-networkd’s links',
    parts: dispatcherParts,
  },
];

export function manPages(): readonly ManPage[] {
  const { version, seconds } = readChangelog();
  const date = new Date(seconds * 1000).toISOString().slice(0, 10);
  return PAGES.map(({ name, section, summary, parts }) => ({
    name,
    section,
    text: page({ name, section, version, date, summary }, parts()),
  }));
}

if (import.meta.main) {
  const folder = process.argv[2] ?? join('.cache', 'man');
  mkdirSync(folder, { recursive: true });
  for (const { name, section, text } of manPages()) writeFileSync(join(folder, `${name}.${section}`), text);
}
