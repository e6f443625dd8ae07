/** The article's hosts. */
import type { RealHost } from './real-host.ts';

/** The article's other host, made by hand. */
export function otherHost(host: RealHost): void {
  for (const line of [
    'address add 10.10.0.4/24 dev eth0',
    'link add vxlan0 type vxlan id 77 remote 10.10.0.5 dstport 4789 dev eth0',
    'link set up vxlan0',
    'address add 169.254.0.2/24 dev vxlan0',
  ]) {
    host.peer('ip', ...line.split(' '));
  }
}
