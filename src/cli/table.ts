/** Every command. Help, parsing and completion go through these rows. */
import { TARGET_NAMES } from '../render/targets.ts';
import type { ArgumentRow, CommandRow, GroupRow, OptionRow } from './command.ts';

const ADOPT: OptionRow = {
  flags: '--adopt',
  help: 'take over links that somebody else made in our place, when they can be changed in place',
};
const PRUNE: OptionRow = { flags: '--prune', help: 'remove what somebody else put on our links' };
const EXIT_CODE: OptionRow = { flags: '--exit-code', help: 'exit 3 when this host does not match the file' };
const FABRIC: OptionRow = { flags: '--fabric <NAME>', help: 'the fabric’s name, instead of reading it from the file' };
const LAST: OptionRow = { flags: '-n, --last <N>', help: 'how many events to begin with (default: 20)' };
const HOST: ArgumentRow = { name: '<HOST>', help: 'a host of the file', completes: 'host' };

export const COMMANDS: readonly (CommandRow | GroupRow)[] = [
  {
    name: 'plan',
    summary: 'show what apply would change on this host',
    text: 'Shows what apply would change on this host, and changes nothing: + is added, ~ changed in place, ! made anew (traffic stops for a moment), - removed.',
    examples: [
      ['plan', 'what is different from /etc/everlan/fabric.yaml'],
      ['plan -f fabric.yaml --host alpha', 'another file, and which host we are'],
      ['plan --exit-code -q', 'for scripts: exits 3 when something would change'],
    ],
    options: [EXIT_CODE, ADOPT, PRUNE],
    common: 'host',
    load: () => import('./commands/plan.ts'),
  },
  {
    name: 'apply',
    summary: 'make this host match the file',
    text: 'Makes this host match the file, reads it back and verifies it. When the kernel refuses something, what was done is undone. An interrupt (Ctrl-C) while changes are made waits until they are done or undone.',
    examples: [
      ['apply', 'do what plan shows'],
      ['apply --confirm 60s', 'undo it again unless `everlan confirm` comes within 60 seconds'],
      ['apply --netns blue -f fabric.yaml', 'in the network namespace blue'],
    ],
    options: [
      { flags: '--confirm <TIME>', help: 'undo again unless confirmed within this time: 30s, 5m, 1h' },
      ADOPT,
      PRUNE,
    ],
    common: 'host',
    load: () => import('./commands/apply.ts'),
  },
  {
    name: 'confirm',
    summary: 'keep what `apply --confirm` did',
    text: 'Keeps what `apply --confirm` did. Exits 1 when nothing waits to be confirmed.',
    examples: [
      ['confirm', 'for the fabric of /etc/everlan/fabric.yaml'],
      ['confirm --fabric article', 'without the file'],
    ],
    options: [FABRIC],
    common: 'host',
    load: () => import('./commands/confirm.ts'),
  },
  {
    name: 'down',
    summary: 'remove what the fabric owns on this host',
    text: 'Removes everything that the fabric owns on this host, and nothing else. A change that waits to be confirmed goes with it.',
    examples: [
      ['down', 'the fabric of /etc/everlan/fabric.yaml'],
      ['down --fabric article', 'without the file'],
    ],
    options: [FABRIC],
    common: 'host',
    load: () => import('./commands/down.ts'),
  },
  {
    name: 'status',
    summary: 'show each overlay, its peers and whether it still matches',
    text: 'Shows each overlay of this host, its peers, and whether the kernel still matches the file. States: up, down, missing, drifted, and foreign for somebody else’s link in our place.',
    examples: [
      ['status', 'a table'],
      ['status --watch', 'again at every change, until Ctrl-C'],
      ['status --json --exit-code', 'for scripts: exits 3 when this host does not match'],
    ],
    options: [EXIT_CODE, { flags: '--watch', help: 'go on, and show it again when something changes' }],
    common: 'host',
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'check',
    summary: 'prove by packets that every peer answers',
    text: 'Sends small and full-size unfragmentable echoes to every peer over the overlay, from everlan itself, and shows how long each took. Exits 1 when a peer does not answer.',
    examples: [
      ['check', 'every overlay of this host'],
      ['check --timeout 10s', 'with more patience'],
    ],
    options: [{ flags: '--timeout <TIME>', help: 'how long to wait for answers (default: 3s)' }],
    common: 'host',
    load: () => import('./commands/check.ts'),
  },
  {
    name: 'render',
    summary: 'write the overlay for another tool',
    text: 'Writes what another tool needs to make the same overlays, for hosts where everlan is not installed. Prints it, or writes a tree of files. What the tool has no words for is an error that names its place in the file; docs/targets.md shows what each tool can say.',
    examples: [
      ['render script -f fabric.yaml --host alpha', 'the shell script of the host alpha'],
      ['render networkd --output out', 'this host’s files below the folder out'],
      ['render netplan --all-hosts --output out', 'every host’s files below out/HOST'],
    ],
    arguments: [{ name: '<TARGET>', help: TARGET_NAMES.join(', '), choices: TARGET_NAMES }],
    options: [
      { flags: '--all-hosts', help: 'every host of the file, not only this one' },
      { flags: '--output <DIR>', help: 'write the files below this folder', completes: 'file' },
      { flags: '--lenient', help: 'leave out what the tool has no words for, with a warning' },
      { flags: '--underlay-id <ID>', help: 'netplan’s ID of the underlay device, or the name of its .network file' },
      { flags: '--package-url <URL>', help: 'for cloud-init: install everlan’s package from there' },
    ],
    common: 'host',
    load: () => import('./commands/render.ts'),
  },
  {
    name: 'import',
    summary: 'make a fabric file from what a host already has',
    text: 'Prints a fabric file made from the files of another tool (netplan, networkd, ifupdown, script) or from what the kernel has now (kernel). Without FILES it reads where the tool itself does. Several hosts join to one fabric: each begins with --host NAME. What was not understood is told, and stands in the file’s comments.',
    examples: [
      ['import kernel --output fabric.yaml', 'what runs on this host now'],
      ['import netplan', 'this host’s /etc/netplan'],
      ['import --host alpha script a.sh --host beta netplan b.yaml', 'two hosts, checked against each other'],
      ['import --underlay 10.0.0.4 script vxlan.sh', 'where the script does not tell the host’s own address'],
    ],
    arguments: [
      { name: '<SOURCE>', help: 'netplan, networkd, ifupdown, script or kernel' },
      { name: '[FILES...]', help: 'files or folders; - for standard input', completes: 'file' },
    ],
    options: [
      { flags: '--name <FABRIC>', help: 'the fabric’s name (default: imported)' },
      { flags: '--underlay <ADDRESS>', help: 'under which address the others reach the host' },
      { flags: '-o, --output <FILE>', help: 'write to this file, which must not exist yet', completes: 'file' },
    ],
    common: 'source',
    passThrough: true,
    load: () => import('./commands/import.ts'),
  },
  {
    name: 'lab',
    summary: 'run every host of the file as a network namespace',
    text: 'Every host of the file as a network namespace on this machine: to try a file out, and to see what breaks it.',
    commands: [
      {
        name: 'up',
        summary: 'make the hosts, apply the file in each, prove the mesh',
        text: 'Makes every host of the file a network namespace FABRIC-HOST on this machine, joins their underlays, applies the file in each, and proves by echoes that every pair of members can talk.',
        examples: [['lab up -f fabric.yaml', 'every host of the file']],
        common: 'file',
        load: () => import('./commands/lab-up.ts'),
      },
      {
        name: 'exec',
        summary: 'run a command on a host of the lab',
        text: 'Runs a command in the network namespace of a host and exits with its exit code.',
        examples: [
          ['lab exec -f fabric.yaml alpha -- ip -d link', 'what the host alpha has'],
          ['lab exec beta -- ping -c 3 169.254.0.1', 'from the host beta'],
        ],
        arguments: [HOST, { name: '<COMMAND...>', help: 'the command and its arguments' }],
        common: 'file',
        passThrough: true,
        load: () => import('./commands/lab-exec.ts'),
      },
      {
        name: 'reboot',
        summary: 'make a host of the lab anew, and apply the file again',
        text: 'Throws the network namespace of a host away, makes it anew and applies the file again, as after a reboot.',
        examples: [['lab reboot -f fabric.yaml alpha', 'the host alpha']],
        arguments: [HOST],
        common: 'file',
        load: () => import('./commands/lab-reboot.ts'),
      },
      {
        name: 'down',
        summary: 'remove the lab',
        text: 'Removes every network namespace and link of the lab, also after a crash half-way.',
        examples: [
          ['lab down -f fabric.yaml', 'by the file'],
          ['lab down --fabric article', 'without it'],
        ],
        options: [FABRIC],
        common: 'file',
        load: () => import('./commands/lab-down.ts'),
      },
    ],
  },
  {
    name: 'demo',
    summary: 'see an overlay work, break, heal and go, in a lab',
    text: 'Two hosts as network namespaces, one overlay between them: shown working, broken, healed, rebooted and taken down. Needs no root where the kernel allows user namespaces.',
    examples: [
      ['demo', 'takes some seconds and leaves nothing behind'],
      ['demo -f fabric.yaml', 'with another file'],
    ],
    common: 'file',
    load: () => import('./commands/demo.ts'),
  },
  {
    name: 'agent',
    summary: 'keep this host matching the file, for as long as it runs',
    text: 'Keeps this host matching the file for as long as it runs: what somebody else changes is put right, an overlay whose device is not there yet comes up as soon as it is, and a file that has changed is applied. While it runs, apply, confirm and down go through it, and status is its answer. It runs in the foreground, as a service does, until SIGTERM or SIGINT; the overlays stay. SIGHUP reads the file again.',
    examples: [
      ['agent', 'as everlan.service runs it'],
      ['agent --netns blue -f fabric.yaml', 'another file, in the network namespace blue'],
    ],
    common: 'service',
    load: () => import('./commands/agent.ts'),
  },
  {
    name: 'events',
    summary: 'show what happened on this host, and what the agent did',
    text: 'Shows what the agent saw and did since it was started, the latest last. Exits 1 when no agent runs.',
    examples: [
      ['events', 'the last 20'],
      ['events --follow', 'and each new one, until Ctrl-C'],
      ['events --last 0 --follow --json', 'for scripts: new ones only, a line of JSON each'],
      ['events -f fabric.yaml', 'of the agent that keeps this file'],
    ],
    options: [{ flags: '--follow', help: 'go on, and show each event that comes' }, LAST],
    common: 'host',
    load: () => import('./commands/events.ts'),
  },
  {
    name: 'dispatcher',
    summary: 'run scripts on the states of systemd-networkd’s links',
    text: 'Runs scripts when a link of systemd-networkd changes its state, with the options, folders, variables and messages of networkd-dispatcher. `everlan dispatcher --help` lists the options. It is the same program when it is called as networkd-dispatcher.',
    examples: [
      [
        'dispatcher --run-startup-triggers',
        'as the service does it: scripts run for the states that are there already',
      ],
      ['dispatcher --check', 'every script, and whether it would run'],
      ['dispatcher --dry-run -T', 'what would run, without running it'],
    ],
    common: 'none',
    raw: true,
    load: () => import('./commands/dispatcher.ts'),
  },
  {
    name: 'run-parts',
    summary: 'run a folder of scripts by the rules of Debian’s run-parts',
    text: 'Runs the scripts of a folder one after the other, with the options, messages and exit codes of Debian’s run-parts. `everlan run-parts --help` lists the options. It is the same program when it is called as run-parts.',
    examples: [
      ['run-parts --test /etc/network/if-up.d', 'what would run; a name with a dot in it would not'],
      ['run-parts --report --arg=now /etc/cron.daily', 'with an argument, and the names of those that say something'],
    ],
    common: 'none',
    raw: true,
    load: () => import('./commands/run-parts.ts'),
  },
  {
    name: 'schema',
    summary: 'print the JSON Schema of the file and of the JSON output',
    text: 'Prints the JSON Schema of the fabric file, so that editors complete and check it, with that of the JSON output under $defs.',
    examples: [['schema > fabric.schema.json', 'for an editor']],
    common: 'output',
    load: () => import('./commands/schema.ts'),
  },
  {
    name: 'version',
    summary: 'print the version',
    text: 'Prints the versions of everlan, Node and the kernel.',
    examples: [['version --json', 'for a bug report']],
    common: 'output',
    load: () => import('./commands/version.ts'),
  },
  {
    name: 'completion',
    summary: 'print the completion script of a shell',
    text: 'Prints a script that completes commands, options, files, namespaces and hosts.',
    examples: [
      ['completion bash > /etc/bash_completion.d/everlan', 'for bash, for everybody'],
      ['completion zsh > ~/.zfunc/_everlan', 'for zsh, in a folder of its fpath'],
    ],
    arguments: [{ name: '<SHELL>', help: 'bash or zsh', choices: ['bash', 'zsh'] }],
    common: 'output',
    load: () => import('./commands/completion.ts'),
  },
  {
    name: 'guard',
    summary: 'undo an unconfirmed change when its time is over',
    text: 'Started by `apply --confirm`.',
    examples: [],
    options: [FABRIC, { flags: '--token <TOKEN>', help: 'the change that it watches over' }],
    common: 'host',
    hidden: true,
    load: () => import('./commands/guard.ts'),
  },
];

export function isGroup(row: CommandRow | GroupRow): row is GroupRow {
  return 'commands' in row;
}
