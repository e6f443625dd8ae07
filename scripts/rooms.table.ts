/** Which room of src/ may import what, and why not the rest. The pictures and words for it are in ARCHITECTURE.md. */

export interface Room {
  /** What the room is for, in a few words. */
  readonly job: string;
  /** The rooms that it may import. */
  readonly imports: readonly string[];
  /** Said of every other room that it imports. */
  readonly because: string;
  /** Where a forbidden room deserves words of its own. */
  readonly reasons?: Readonly<Record<string, string>>;
  /** A pure room computes: what reads files, starts programs or opens sockets is refused. */
  readonly pure?: true;
  /** The npm packages that it may load. */
  readonly packages?: readonly string[];
}

export const ROOMS: Readonly<Record<string, Room>> = {
  model: {
    job: 'the nouns and the option table',
    imports: [],
    because: 'model is what every room shares, so it knows none of them',
    pure: true,
  },
  text: {
    job: 'YAML with positions, carets',
    imports: ['model'],
    because: 'text reads and shows any YAML file; what the file means is the business of fabric',
    packages: ['js-yaml'],
  },
  fabric: {
    job: 'text to Fabric to Desired',
    imports: ['text', 'model'],
    because: 'fabric works on text and facts that are handed to it',
    reasons: { kernel: 'fabric is handed the host’s facts, so a file can be checked for any host on any machine' },
    pure: true,
  },
  plan: {
    job: 'difference, order, explanation, status',
    imports: ['model'],
    because: 'plan compares two states of one type and needs nothing else',
    reasons: {
      kernel: 'plan is pure: it decides and never touches the kernel',
      fabric: 'plan compares states; that one of them came from a file must not matter',
    },
    pure: true,
  },
  render: {
    job: 'the overlay for another tool',
    imports: ['model'],
    because: 'render turns a desired state into a file tree and needs nothing else',
    pure: true,
  },
  import: {
    job: 'other tools’ files to a fabric file',
    imports: ['text', 'model'],
    because: 'import is handed files and states, it does not fetch them',
    reasons: { kernel: 'import is handed an observed state, it does not observe' },
  },
  netlink: {
    job: 'attribute tables and codec',
    imports: ['model'],
    because: 'netlink turns values into bytes and back, and opens no socket',
    pure: true,
  },
  sys: {
    job: 'system calls over the FFI, locks, safe folders',
    imports: [],
    because: 'sys is the lowest room: it knows system calls, not overlays',
    packages: ['koffi'],
  },
  kernel: {
    job: 'the port: sockets, observing, running steps, echoes; the fake',
    imports: ['netlink', 'sys', 'model'],
    because: 'kernel carries out the steps it is given',
    reasons: {
      plan: 'kernel carries out steps and never decides on them',
      apply: 'apply drives kernel, not the reverse',
    },
  },
  apply: {
    job: 'converge, verify, undo, confirm',
    imports: ['plan', 'kernel', 'sys', 'model'],
    because: 'apply is handed a desired state and a kernel',
    reasons: { fabric: 'apply works on a desired state, wherever it came from' },
  },
  networkd: {
    job: 'systemd-networkd over D-Bus',
    imports: ['model'],
    because: 'networkd reports what systemd-networkd says and decides nothing',
  },
  hooks: {
    job: 'find, check and run scripts',
    imports: ['sys', 'model'],
    because: 'hooks runs scripts; when is the business of its callers',
  },
  dispatcher: {
    job: 'states to hooks',
    imports: ['networkd', 'hooks', 'kernel', 'model'],
    because: 'dispatcher follows states and has no part in overlays',
  },
  agent: {
    job: 'the loop and its socket',
    imports: ['fabric', 'plan', 'apply', 'kernel', 'networkd', 'sys', 'model'],
    because: 'agent runs the same flow as the commands, for as long as it lives',
  },
  lab: {
    job: 'hosts as namespaces',
    imports: ['fabric', 'plan', 'apply', 'kernel', 'sys', 'model'],
    because: 'lab builds machines and runs the ordinary flow in them',
  },
  cli: {
    job: 'arguments and output; wires everything',
    imports: [
      ...['model', 'text', 'fabric', 'plan', 'render', 'import', 'netlink', 'sys', 'kernel', 'apply', 'networkd'],
      ...['hooks', 'dispatcher', 'agent', 'lab'],
    ],
    because: 'cli wires everything',
    packages: ['commander'],
  },
};

/**
 * What a pure room may take from Node: it computes the same everywhere and reaches nothing outside. node:crypto is
 * here for its hash: the stable MACs and link groups are digests of names.
 */
export const PURE_BUILTINS: readonly string[] = ['node:crypto'];

/** Why a package stands where it stands, told when another room loads it. */
export const PACKAGES: Readonly<Record<string, string>> = {
  koffi: 'the FFI stays behind sys, so that it can be replaced in one place',
  'js-yaml': 'YAML is read in text, so that every file is read by the same rules',
  yaml: 'it is the second reader that tests compare with; files are read with js-yaml',
  commander: 'arguments are read in cli only',
  zod: 'checks and the schema come from the option table; see docs/decisions',
};

/** Files that only tests use: they may import any room and any package, and nothing else may import them. */
export const TEST_FILES: readonly RegExp[] = [
  /\.test\.ts$/,
  /\.testing\.ts$/,
  /\.rootless\.ts$/,
  /^src\/netlink\/vectors\//,
];
