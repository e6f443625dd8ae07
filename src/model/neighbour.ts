/** Other programs that configure the links of this host, and would ours too if they were not told. */

export type Neighbour = 'systemd-networkd' | 'NetworkManager';
