/** Which .network file systemd-networkd uses for a link, from what it keeps about it. */
import { readFileSync } from 'node:fs';
import { hasCode } from '../sys/errno.ts';

/** @returns its path; null when networkd does not manage the link, or does not run. */
export function networkFileOf(index: number, folder = '/run/systemd/netif/links'): string | null {
  let text: string;
  try {
    text = readFileSync(`${folder}/${index}`, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES')) return null;
    throw error;
  }
  return /^NETWORK_FILE=(.+)$/m.exec(text)?.[1] ?? null;
}
