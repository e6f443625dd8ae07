/** Who has a NETLINK_ROUTE socket, that is, who could change links (/proc/net/netlink, net/netlink/af_netlink.c). */
import { readFileSync } from 'node:fs';
import { inNamespace } from './netns.ts';

/** Of this thread: the main one may be in another namespace for a moment. */
const TABLE = '/proc/thread-self/net/netlink';
const NETLINK_ROUTE = '0';

/** Column 2 is the protocol, 3 the port: the process's id for the first socket of one, else a number of the kernel's choice. */
export function routePorts(table: string): readonly number[] {
  const ports: number[] = [];
  for (const line of table.split('\n').slice(1)) {
    const [, protocol, port = ''] = line.trim().split(/\s+/);
    if (protocol === NETLINK_ROUTE && /^[1-9]\d*$/.test(port)) ports.push(Number(port));
  }
  return ports;
}

/** Ports of the sockets in a namespace, or in our own. Empty when that cannot be read. */
export function netlinkUsers(netns?: number): readonly number[] {
  const read = (): string => readFileSync(TABLE, 'utf8');
  try {
    return routePorts(netns === undefined ? read() : inNamespace(netns, read));
  } catch {
    return [];
  }
}
