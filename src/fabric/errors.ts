/** Everything that can be wrong with a fabric file, or with a host that is to follow it: one row each. */
import { type ErrorRow, TEXT_ERRORS } from '../text/errors.ts';

const error = (text: string, hint?: string): ErrorRow =>
  hint === undefined ? { severity: 'error', text } : { severity: 'error', text, hint };
const warning = (text: string, hint?: string): ErrorRow =>
  hint === undefined ? { severity: 'warning', text } : { severity: 'warning', text, hint };

/** What one value of the file may look like. The JSON Schema refuses these too. */
export const SHAPE_ERRORS = {
  'wrong-type': error('A value is of another type than its key takes.'),
  'quoted-number': error('A number stands in quotes, so it is text.', 'write it without quotes'),
  'no-value': error('A key stands without a value.', 'give it a value, or leave the key out'),
  'out-of-range': error('A number is outside of what its key takes.'),
  'unknown-word': error('A word is none of those that its key takes.'),
  'unknown-key': error('A key that means nothing here. Nothing is read past in silence.'),
  'missing-key': error('A key that must be there is not.'),
  'key-not-text': error('A name is read as a number, a boolean or nothing.', 'put it in quotes'),
  'repeated-item': error('An item stands twice in one list.', 'keep one'),
  'fabric-name': error(
    'A fabric’s name has 1 to 32 characters: small letters, digits and hyphens, a letter first. It goes into link aliases and the names of namespaces.',
  ),
  'host-name': error(
    'A host’s name has 1 to 63 characters: small letters, digits and hyphens, no hyphen first or last. Dots belong into `hostname`.',
  ),
  hostname: error('A hostname is made of labels of letters, digits and hyphens with dots between them (RFC 1123).'),
  'link-name': error(
    'A link’s name has 1 to 15 bytes of printable ASCII, without blanks, “/”, “:” or “%”, and no hyphen first. “lo”, “.”, “..”, “all” and “default” are taken by the kernel, “none” and “auto” mean something here.',
  ),
  'address-form': error('An IPv4 or IPv6 address is expected.'),
  'prefix-form': error('An address with its prefix length is expected, such as 169.254.0.1/24.'),
  'mac-form': error('A MAC address is expected, six bytes such as 02:00:5e:00:53:01.'),
  'refused-word': error('A word that netplan knows and everlan cannot honour.'),
  'nothing-in-it': error('A map that must hold something is empty.'),
} as const satisfies Record<string, ErrorRow>;

/** What fits a key but not its meaning, or not the rest of the file. */
const FILE_ERRORS = {
  'given-twice': error('A key and another spelling of it are both there.', 'keep one'),
  'merge-key': error(
    'Merge keys (<<) are not part of YAML 1.2.',
    'name a whole value with &name and use it with *name, or write the keys out',
  ),
  'range-order': error('The low end of a range is above the high end.', 'write the smaller number first'),
  'not-unicast': error('An address that cannot belong to one host: multicast, broadcast, loopback or all zeros.'),
  'not-multicast': error('A group is a multicast address: 224.0.0.0/4 or ff00::/8.'),
  'mapped-address': error('An IPv4 address dressed as IPv6 (::ffff:…).', 'write the IPv4 address'),
  'link-local-address': error(
    'An address of fe80::/10 on an overlay. The kernel makes those itself, so everlan could not tell its own.',
    'use an address of fd00::/8',
  ),
  'link-local-device': error('A link-local underlay (fe80::/10) means nothing without a device.', 'name the `device`'),
  'mac-group': error(
    'A multicast or broadcast MAC address (lowest bit of the first byte set) cannot belong to a host.',
  ),
  'mac-zero': error('The all-zeros MAC address belongs to no host.'),
  'mac-twice': error('A MAC address stands twice.'),
  'unknown-host': error('A host that is not listed under `hosts` of the fabric.'),
  'not-a-member': error('A host that is no member of this overlay.', 'list it under `hosts` of the overlay'),
  'vni-twice': error('Two overlays of one host have the same VNI on the same port: the kernel refuses the second.'),
  'receive-flags': error(
    'Two overlays of one host share a UDP port, but not what arriving packets may look like (`extensions`, and `zero-udp6-rx` and `remote-rx` of `checksums`). The kernel has one socket for the port and refuses the second link.',
    'say the same for both, or give one of them another `port`',
  ),
  'bridge-twice': error('Two overlays of one host are in the same bridge, which would join them.'),
  'underlay-families': error(
    'IPv4 and IPv6 are mixed on the underlay of one overlay. A VXLAN link speaks one of them.',
  ),
  'underlay-twice': error('Two hosts have the same underlay address.'),
  'hostname-twice': error('Two hosts have the same hostname, so a machine could not tell which it is.'),
  'address-twice': error('An address stands twice, in one overlay or on one host.'),
  'network-address': error('The address of a network itself is no host’s address (/31, /32, /127 and /128 excepted).'),
  'broadcast-address': error('The last address of an IPv4 network is its broadcast address.'),
  'address-is-underlay': error(
    'An address on the overlay is also a host’s underlay address, so packets to it would never leave.',
  ),
  'name-clash': error('One name for two links: an overlay, a bridge, a port or an underlay device.'),
  'port-twice': error('A link is a port of two bridges. It can be in one only.'),
  'ports-without-bridge': error('`ports` without `bridge`: there is nothing to put them into.', 'name the `bridge`'),
  'multicast-without-device': error(
    'Flooding to a multicast group needs a device: the kernel must know where to join.',
    'name the `device` of the host, or leave it out',
  ),
  'flow-label-ipv4': error('A flow label is part of the IPv6 header, and the underlay is IPv4.', 'leave the key out'),
  'route-host-bits': error('The destination of a route is a network: no bit may be set behind its length.'),
  'route-twice': error('A destination stands twice among the routes of one host.'),
  'route-own-network': error('A route to the overlay’s own network. The kernel makes that one.', 'leave it out'),
  'route-via-unknown': error('`via` is neither a member of the overlay nor an address.'),
  'route-via-family': error('`via` has no address of the family of `to`.'),
  'route-via-unreachable': error(
    '`via` lies in no network of a member’s addresses, so the kernel of that member would refuse the route.',
  ),
  'remote-is-host': error(
    'A remote is the underlay address of a host of the fabric.',
    'make that host a member instead',
  ),
  'ipv6-mtu': error('IPv6 needs an MTU of at least 1280 (RFC 8200): below, the kernel takes no IPv6 address.'),
} as const satisfies Record<string, ErrorRow>;

const WARNINGS = {
  'nothing-floods': warning(
    'With `flood: none` nobody hears broadcast and unknown frames, ARP among them, so nothing is learned: only what `macs` or `neighbours: static` say is reached.',
    'add `neighbours: static`, or `macs`',
  ),
  'proxy-knows-nobody': warning(
    'With `arp-proxy` the link answers for permanent neighbours and lets other questions die. Nobody has put any there.',
    'add `neighbours: static`',
  ),
  'nothing-learned': warning(
    'With `mac-learning: false` every frame to a MAC that no row knows is flooded to all peers.',
    'add `neighbours: static`, or `macs`',
  ),
  'static-bridged': warning(
    '`neighbours: static` concerns members that are not bridged: what stands behind a bridge is not in the file.',
    'leave it out, or list the MACs under `macs`',
  ),
  'df-ipv6': warning('The don’t-fragment bit is part of the IPv4 header, and the underlay is IPv6: it does nothing.'),
} as const satisfies Record<string, ErrorRow>;

/** What a host lacks, although the file is good. */
const HOST_ERRORS = {
  'host-not-in-file': error('The host asked for is not in the file.'),
  'host-not-found': error(
    'None of the hosts in the file is this machine, by hostname or by underlay address.',
    'say which one with --host NAME, or put this machine’s hostname or underlay address into the file',
  ),
  'host-ambiguous': error('More than one host in the file could be this machine.', 'say which one with --host NAME'),
  'underlay-absent': error('The host’s underlay address is on none of its links.'),
  'underlay-loopback': error(
    'The underlay address is on the loopback link, which leads nowhere.',
    'name the `device` that leads to the others, or say `device: none` and an `mtu`',
  ),
  'underlay-many': error('The underlay address is on more than one link.', 'say which one with `device`'),
  'device-absent': error('The host has no link of the name that `device` says.'),
  'mtu-device': error(
    'The overlay’s MTU and the outer header (50 bytes over IPv4, 70 over IPv6) do not fit into the MTU of the device.',
    'use `mtu: auto`',
  ),
  'port-absent': error('The host has no link of a name listed under `ports`.'),
  'port-is-device': error('A link listed under `ports` carries the underlay. In a bridge it would lose it.'),
} as const satisfies Record<string, ErrorRow>;

/** What `everlan render` cannot do, although the file is good. */
const TARGET_ERRORS = {
  'target-cannot-say': error(
    'The tool for which files are rendered has no words for an option. docs/targets.md shows what each can say.',
    'render for another tool, or with --lenient, which leaves it out',
  ),
} as const satisfies Record<string, ErrorRow>;

export const ERRORS = {
  ...TEXT_ERRORS,
  ...SHAPE_ERRORS,
  ...FILE_ERRORS,
  ...WARNINGS,
  ...HOST_ERRORS,
  ...TARGET_ERRORS,
} as const;

export type Code = keyof typeof ERRORS;

/** The catalogue with the headings of docs/errors.md. */
export const ERROR_GROUPS: readonly { readonly title: string; readonly rows: Readonly<Record<string, ErrorRow>> }[] = [
  { title: 'The file as text', rows: TEXT_ERRORS },
  { title: 'The form of a value', rows: SHAPE_ERRORS },
  { title: 'The meaning of the file', rows: FILE_ERRORS },
  { title: 'Warnings', rows: WARNINGS },
  { title: 'The host', rows: HOST_ERRORS },
  { title: 'Other tools', rows: TARGET_ERRORS },
];
