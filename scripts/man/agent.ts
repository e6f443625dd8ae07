/** everlan-agent(8) */
import { bold, item, paragraph, section } from './roff.ts';

export const agentParts = (): readonly string[] => [
  section('synopsis'),
  bold('everlan.service'),
  '.br',
  bold('everlan agent'),
  section('description'),
  paragraph(
    'Keeps this host as the fabric file says, for as long as it runs. It hears from the kernel when a link, an address, an FDB row, a neighbour or a route changes, looks again, and makes what is missing. It starts before the network is configured, brings each overlay up as soon as its underlay is there, and says what it waits for.',
  ),
  paragraph(
    'The file is read again when it changes. While it is wrong, the last good one stays in force, and the journal, `systemctl status` and `everlan status` say why. While the agent runs, `everlan apply`, `confirm` and `down` go through it.',
  ),
  paragraph(
    'Ending the agent changes nothing: the overlays stay, and the next start finds them. `everlan down` removes them.',
  ),
  section('service'),
  paragraph(
    '`everlan.service` is ordered before `network.target`, and runs as root with no capability but `CAP_NET_ADMIN`. It tells systemd when this host matches the file, or waits for nothing but the outside; it has a watchdog, and is started again whenever it ends.',
  ),
  paragraph('It never ends for a wrong file. Exit code 2, for wrong use, is the one that no restart follows.'),
  section('signals'),
  item(bold('SIGHUP'), 'Reads the file again: `systemctl reload everlan`.'),
  item(bold('SIGTERM'), 'Ends it.'),
  section('access'),
  paragraph(
    'root may do everything over the socket; members of the group `everlan` may read: `everlan status` and `everlan events`.',
  ),
  section('files'),
  item(bold('/etc/everlan/fabric.yaml'), 'The fabric file.'),
  item(bold('/var/lib/everlan'), 'The last good file.'),
  item(bold('/run/everlan'), 'The socket, the locks, and what was last applied.'),
  item(bold('/run/systemd/network/00-everlan-FABRIC.network'), 'Tells systemd-networkd to leave the links alone.'),
  item(bold('/run/NetworkManager/conf.d/90-everlan-FABRIC.conf'), 'Tells NetworkManager the same.'),
  section('see also'),
  paragraph('`everlan`(1), `fabric.yaml`(5), `systemd-networkd.service`(8), `journalctl`(1)'),
];
