/** networkd-dispatcher(8), from the dispatcher’s own table of options. */
import { DEFAULT_SCRIPT_DIR, OPTION_ROWS } from '../../src/dispatcher/options.ts';
import { ADMINISTRATIVE, OPERATIONAL } from '../../src/hooks/states.ts';
import { bold, item, paragraph, plain, section } from './roff.ts';

function option({ short, long, value, help }: (typeof OPTION_ROWS)[number]): string {
  const names = [...(short === null ? [] : [`-${short}`]), `--${long}`].map(bold).join(', ');
  return item(value === null ? names : `${names} \\fI${plain(value)}\\fR`, help.join(' '));
}

const VARIABLES: readonly (readonly [string, string])[] = [
  ['IFACE', 'The name of the interface.'],
  ['STATE', 'The state that the script runs for.'],
  ['AdministrativeState, OperationalState', 'The states that it has now.'],
  ['ADDR', 'Its first address, or nothing.'],
  ['IP_ADDRS, IP6_ADDRS', 'Its addresses, without those of the link and of the loopback.'],
  ['ESSID', 'Of a wireless interface.'],
  ['json', 'What networkctl would say of it, as a JSON object.'],
];

export const dispatcherParts = (): readonly string[] => [
  section('synopsis'),
  `${bold('networkd-dispatcher')} [\\fIOPTION\\fR]...`,
  section('description'),
  paragraph(
    `Runs scripts when a link of systemd-networkd changes its state. This is \`everlan dispatcher\`, in the place of the program that had this name before. Scripts stand in the folders \`STATE.d\` below ${DEFAULT_SCRIPT_DIR.split(
      ':',
    )
      .map((each) => `\`${each}\``)
      .join(
        ' and ',
      )}; of one name, the first that may run does. They run in the order of their names, those of one interface after each other and those of several side by side.`,
  ),
  paragraph(
    'A script, its folder, and every folder above must be root’s and writable by root alone; a script has mode 755. An empty file or a link to `/dev/null` masks a script of a later folder.',
  ),
  section('states'),
  paragraph(`Administrative: ${ADMINISTRATIVE.map((each) => `\`${each}\``).join(', ')}.`),
  paragraph(`Operational: ${OPERATIONAL.map((each) => `\`${each}\``).join(', ')}.`),
  section('options'),
  ...OPTION_ROWS.map(option),
  section('environment of scripts'),
  ...VARIABLES.map(([name, means]) => item(bold(name), means)),
  section('exit status'),
  paragraph('0 when it was told to end, 2 for wrong use. With `--check`: 1 when a script has a fault.'),
  section('files'),
  item(bold('/etc/default/networkd-dispatcher'), '`networkd_dispatcher_args`: the options of the service.'),
  section('see also'),
  paragraph('`everlan`(1), `networkctl`(1), `systemd-networkd.service`(8)'),
];
