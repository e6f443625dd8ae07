/** All scenarios by the file that keeps their vectors, in the order in which they run. */

import { acknowledgements } from './capture-vectors.acknowledgements.ts';
import { addresses } from './capture-vectors.addresses.ts';
import { links } from './capture-vectors.links.ts';
import { neighbours } from './capture-vectors.neighbours.ts';
import { routes } from './capture-vectors.routes.ts';
import { vxlan } from './capture-vectors.vxlan.ts';

/** Indexes: lo 1, far0 2, under0 3, vxlan0 4, vx4 5, vx6 6, mc4 7, mc6 8, vxe 9, vxg 10, vxi 11, br0 12, ve1 14, ve0 15. */
export const SETUP = [
  'ip link set lo up',
  'ip link add under0 address 02:00:00:00:00:01 type veth peer name far0 address 02:00:00:00:00:02',
  'ip address add 10.10.0.4/24 dev under0',
  'ip address add fd00::4/64 dev under0 nodad',
  'ip link set under0 up',
  'ip link set far0 up',
];

/** The links come first: the others stand on what they leave. */
export const FILES = { vxlan, links, addresses, neighbours, routes, acknowledgements };
