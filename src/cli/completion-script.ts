/** Completion scripts, made from the table of commands. */
import type { CommandRow, Completion } from './command.ts';
import { COMMON_OPTIONS } from './options.ts';
import { COMMANDS, isGroup } from './table.ts';

export type Shell = 'bash' | 'zsh';

interface Choice {
  readonly word: string;
  readonly help: string;
}

interface Level {
  /** `plan`, `lab`, `lab up`; '' for the program itself. */
  readonly path: string;
  readonly words: readonly Choice[];
  readonly options: readonly Choice[];
  /** What its arguments are completed with. */
  readonly completes: Completion;
}

/** `-f, --file <FILE>` → its spellings, and whether a value follows. */
function spellings(flags: string): { names: string[]; value: boolean } {
  return { names: flags.match(/--?[a-z][a-z-]*/g) ?? [], value: flags.includes('<') };
}

function commandLevel(path: string, row: CommandRow): Level {
  const common = COMMON_OPTIONS.filter(({ sets }) => sets.includes(row.common));
  const options = [...(row.options ?? []), ...common, { flags: '--help', help: 'print this help' }];
  const argument = row.arguments?.[0];
  return {
    path,
    words: (argument?.choices ?? []).map((word) => ({ word, help: '' })),
    options: options.flatMap(({ flags, help }) => spellings(flags).names.map((word) => ({ word, help }))),
    completes: argument?.completes ?? 'none',
  };
}

function levels(): Level[] {
  const visible = COMMANDS.filter((row) => isGroup(row) || row.hidden !== true);
  const choice = ({ name, summary }: { name: string; summary: string }): Choice => ({ word: name, help: summary });
  const found: Level[] = [{ path: '', words: visible.map(choice), options: [], completes: 'none' }];
  for (const row of visible) {
    if (isGroup(row)) {
      found.push({ path: row.name, words: row.commands.map(choice), options: [], completes: 'none' });
      for (const child of row.commands) found.push(commandLevel(`${row.name} ${child.name}`, child));
    } else found.push(commandLevel(row.name, row));
  }
  return found;
}

/** Every option with a value, and what the value is completed with. */
function valued(): ReadonlyMap<string, Completion> {
  const found = new Map<string, Completion>();
  const rows = COMMANDS.flatMap((row) => (isGroup(row) ? row.commands : [row])).flatMap((row) => row.options ?? []);
  for (const { flags, completes } of [...COMMON_OPTIONS, ...rows]) {
    const { names, value } = spellings(flags);
    if (value) for (const name of names) found.set(name, completes ?? 'none');
  }
  return found;
}

/** The options that take a value of one kind, as a pattern of `case`. */
function optionsFor(kind: Completion): string {
  return [...valued()].flatMap(([name, completes]) => (completes === kind ? [name] : [])).join('|');
}

// The keys right below `hosts:`, read without starting everlan: a completion must not be waited for.
const HOSTS = `awk '
    /^hosts:/ { inside = 1; next }
    /^[^ #]/ { inside = 0 }
    inside && match($0, /^ +[A-Za-z0-9-]+ *:/) {
      name = $0; sub(/^ +/, "", name); sub(/ *:.*/, "", name)
      depth = match($0, /[^ ]/)
      if (!first) first = depth
      if (depth == first) print name
    }' "$1" 2>/dev/null`;

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const wordsOf = (choices: readonly Choice[]): string => choices.map(({ word }) => word).join(' ');

function bash(): string {
  const cases = levels().map(({ path, words, options, completes }) => {
    const more = completes === 'host' ? '; hosts=1' : '';
    return `    ${quote(path)}) words=${quote(wordsOf(words))}; options=${quote(wordsOf(options))}${more} ;;`;
  });
  const groups = COMMANDS.filter(isGroup).map(({ name }) => name);
  return `# bash completion for everlan; made by \`everlan completion bash\`

__everlan_hosts() {
  ${HOSTS}
}

__everlan() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev='' path='' file=/etc/everlan/fabric.yaml words='' options='' hosts='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      --) return ;;
      ${optionsFor('file')}) file=\${COMP_WORDS[i + 1]} && ((i++)) ;;
      ${optionsFor('netns')}|${optionsFor('host')}|${optionsFor('none')}) ((i++)) ;;
      -*) ;;
      *)
        case $path in
          ''|${groups.join('|')}) path="\${path:+$path }\${COMP_WORDS[i]}" ;;
        esac
        ;;
    esac
  done
  ((COMP_CWORD > 0)) && prev=\${COMP_WORDS[COMP_CWORD - 1]}
  case $prev in
    ${optionsFor('file')}) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); compopt -o filenames 2>/dev/null; return ;;
    ${optionsFor('netns')}) mapfile -t COMPREPLY < <(compgen -W "$(ls /run/netns 2>/dev/null)" -- "$cur"); return ;;
    ${optionsFor('host')}) mapfile -t COMPREPLY < <(compgen -W "$(__everlan_hosts "$file")" -- "$cur"); return ;;
    ${optionsFor('none')}) return ;;
  esac
  case $path in
${cases.join('\n')}
  esac
  [[ -n $hosts ]] && words=$(__everlan_hosts "$file")
  [[ $cur == -* ]] && words=$options
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F __everlan everlan
`;
}

/** A word with its help, for zsh's _describe. */
function described(choices: readonly Choice[]): string {
  return choices.map(({ word, help }) => quote(`${word}:${help.replaceAll(':', '\\:')}`)).join(' ');
}

function zsh(): string {
  const cases = levels().map(({ path, words, options, completes }) => {
    const more = completes === 'host' ? '; hosts=1' : '';
    return `    ${quote(path)}) choices=(${described(words)}); options=(${described(options)})${more} ;;`;
  });
  const groups = COMMANDS.filter(isGroup).map(({ name }) => name);
  return `#compdef everlan
# zsh completion for everlan; made by \`everlan completion zsh\`

__everlan_hosts() {
  ${HOSTS}
}

_everlan() {
  local cur=\${words[CURRENT]} prev=\${words[CURRENT-1]} path_='' file=/etc/everlan/fabric.yaml hosts='' i
  local -a choices options found
  for ((i = 2; i < CURRENT; i++)); do
    case \${words[i]} in
      --) _files; return ;;
      ${optionsFor('file')}) file=\${words[i+1]}; ((i++)) ;;
      ${optionsFor('netns')}|${optionsFor('host')}|${optionsFor('none')}) ((i++)) ;;
      -*) ;;
      *)
        case $path_ in
          ''|${groups.join('|')}) path_="\${path_:+$path_ }\${words[i]}" ;;
        esac
        ;;
    esac
  done
  case $prev in
    ${optionsFor('file')}) _files; return ;;
    ${optionsFor('netns')}) found=(/run/netns/*(N:t)); compadd -a found; return ;;
    ${optionsFor('host')}) found=(\${(f)"$(__everlan_hosts "$file")"}); compadd -a found; return ;;
    ${optionsFor('none')}) return ;;
  esac
  case $path_ in
${cases.join('\n')}
  esac
  if [[ $cur == -* ]]; then
    _describe option options
  elif [[ -n $hosts ]]; then
    found=(\${(f)"$(__everlan_hosts "$file")"}); compadd -a found
  else
    _describe command choices
  fi
}

if [[ $funcstack[1] == _everlan ]]; then
  _everlan "$@"
else
  compdef _everlan everlan
fi
`;
}

const SCRIPTS = { bash, zsh } as const satisfies Record<Shell, () => string>;

export function completionScript(shell: Shell): string {
  return SCRIPTS[shell]();
}
