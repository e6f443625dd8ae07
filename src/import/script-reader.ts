/** Commands of scripts, one after the other, → the links that they make. */
import type { Place } from '../model/problem.ts';
import { linesOf, type Source } from '../text/lines.ts';
import { brctl, bridgeFdb, ethtool } from './bridge-fdb.ts';
import type { FindFiles, Imported, ImportedLink, SourceFile } from './found.ts';
import { ipLink, type Scene } from './ip-link.ts';
import { type Family, ipAddress, ipNeighbour, ipRoute } from './ip-standing.ts';
import { SpanPlace } from './lazy-place.ts';
import { Machine } from './machine.ts';
import { isRendered, type RenderedHost, readRendered } from './rendered-script.ts';
import type { Report } from './report.ts';
import { type Call, ShellRun, type Value } from './shell-run.ts';
import { parseShell } from './shell-syntax.ts';
import { ShellSyntaxError, type Span } from './shell-tree.ts';
import { abbreviates, CommandProblem, Words } from './words.ts';

/** A command that was passed over. It is told of where it concerns an overlay, which is known at the end. */
interface Aside {
  readonly texts: readonly string[];
  readonly place: Place;
  readonly problem: CommandProblem;
}

interface Run {
  readonly span: Span | undefined;
  readonly variables: ReadonlyMap<string, string>;
  /** null: nothing tells them. */
  readonly args: readonly (string | null)[] | null;
}

/** Of a command. */
interface Surroundings {
  readonly source: Source;
  readonly variables: ReadonlyMap<string, string>;
  place(span: Span): Place;
}

/** How a script of a shell that is understood begins. */
const SHELL = /^#!.*\b(?:ba|da|k|z)?sh\b/;
/** Commands that show, wait or write, and set up nothing. */
const HARMLESS =
  /^(?:echo|printf|logger|test|\[|\[\[|ping6?|arping|grep|e?grep|awk|sed|cut|tr|cat|tee|sleep|true|false|:|return|exit|wait|ls|rm|mkdir|modprobe|tcpdump|which|type|hostname|date|ifquery|set|trap|break|continue|\.|source)$/;
/** Programs that run what follows. */
const WRAPPERS = /^(?:sudo|exec|command|env|nohup|nice|time|builtin|eval|doas)$/;

export class ScriptReader {
  readonly machine = new Machine();
  /** What a script of `everlan render` says of its host. */
  rendered: (RenderedHost & { readonly file: string }) | null = null;
  readonly #report: Report;
  readonly #asides: Aside[] = [];
  readonly #find: FindFiles;
  /** Scripts that others call, with their arguments. */
  readonly #followed = new Set<string>();
  readonly #files = new Map<string, SourceFile | undefined>();

  /** @param find scripts that others call by their whole path. */
  constructor(report: Report, find: FindFiles) {
    this.#report = report;
    this.#find = find;
  }

  /**
   * Reads one script, which knows nothing of the variables of others.
   * @param span the part that is the script; without: all.
   * @param variables such as IFACE, where it is known.
   */
  read(source: Source, span?: Span, variables: ReadonlyMap<string, string> = new Map()): void {
    this.#run(source, { span, variables, args: null });
  }

  #run(source: Source, { span, variables, args }: Run): void {
    const lines = linesOf(source);
    const place = ({ start, end }: Span): Place => new SpanPlace(lines, start, end);
    const run = new ShellRun((call) => this.#call(call, { source, variables, place }), variables, args);
    try {
      const script = parseShell(source.text, span);
      if (isRendered(script)) {
        this.rendered = { file: source.file, ...readRendered(script, this.machine, this.#report, place) };
        return;
      }
      run.file(script);
      run.rest();
      if (!run.complete) {
        const message =
          'the rest is left out: the script has so many loops and functions that it is not followed to its end';
        this.#report.add('source-left-out', place({ start: 0, end: 1 }), message);
      }
    } catch (error) {
      if (error instanceof ShellSyntaxError) this.#report.add('source-syntax', place(error.span), error.message);
      else if (error instanceof CommandProblem)
        this.#report.add(error.code, place(error.span), error.message, error.hint);
      else throw error;
    }
  }

  /** The links, when all is read; and what was passed over and concerns them. */
  finish(): readonly ImportedLink[] {
    const concerns = this.machine.concerned();
    const concerned = (text: string): boolean => text === 'vxlan' || text.split(/[^\w.-]+/).some(concerns);
    for (const { texts, place, problem } of this.#asides) {
      if (texts.some(concerned)) this.#report.add(problem.code, place, problem.message, problem.hint);
    }
    return this.machine.links(this.#report);
  }

  /** What is known of the host beside its links. */
  host(): Pick<Imported, 'underlays' | 'hostname' | 'fabric' | 'underlay'> {
    const { rendered } = this;
    return {
      underlays: new Map([...this.machine.underlays(), ...(rendered?.underlays ?? [])]),
      hostname: null,
      ...(rendered === null ? {} : { fabric: rendered.fabric }),
      ...(rendered?.underlay == null ? {} : { underlay: rendered.underlay }),
    };
  }

  #call(call: Call, around: Surroundings): boolean {
    const { place } = around;
    const command = { start: call.start, end: call.end };
    const scene = { machine: this.machine, report: this.#report, command, conditional: call.conditional, place };
    const values = unwrapped(call.words);
    try {
      if (call.doubt !== null) throw new CommandProblem('source-left-out', command, `left out: ${call.doubt}`);
      if (call.input !== null) this.#input(values, call.input, scene, around);
      return this.#command(values, scene, around);
    } catch (error) {
      if (!(error instanceof CommandProblem)) throw error;
      const texts = values.flatMap((value) => value.text ?? []);
      // What only asks cannot be missed, and what takes something away neither.
      if (!isQuestion(texts)) this.#asides.push({ texts, place: place(error.span), problem: error });
      return false;
    }
  }

  /** A script that is called by its whole path is read as if it stood here. */
  #follow(path: string, rest: readonly Value[], { source, variables }: Surroundings): boolean {
    if (!path.startsWith('/')) return false;
    const args = rest.map(({ text }) => text);
    const call = [path, ...args].join(' ');
    // One that everlan has rendered says all at once.
    if (this.#followed.has(call) || this.rendered?.file === path) return true;
    const file = this.#file(path, source);
    if (file === undefined || !SHELL.test(file.text)) return false;
    this.#followed.add(call);
    this.#run({ file: file.path, text: file.text }, { span: undefined, variables, args });
    return true;
  }

  /** Looked for once, however often it is called. */
  #file(path: string, source: Source): SourceFile | undefined {
    if (!this.#files.has(path)) this.#files.set(path, this.#find(path, { path: source.file, text: source.text })[0]);
    return this.#files.get(path);
  }

  #command(values: readonly Value[], scene: Scene, around: Surroundings): boolean {
    const [first, ...rest] = values;
    if (first?.text == null) return false;
    const name = first.text.split('/').at(-1) ?? '';
    const words = new Words(rest, scene.command);
    switch (name) {
      case 'ip':
        return this.#ip(words, scene);
      case 'bridge': {
        const object = words.next() ?? '';
        if (abbreviates(object, 'fdb')) return bridgeFdb(words, scene);
        break;
      }
      case 'ethtool':
        return ethtool(words, scene);
      case 'brctl':
        if (brctl(words, scene)) return true;
        break;
      default:
        if (HARMLESS.test(name)) return false;
        if (this.#follow(first.text, rest, around)) return true;
    }
    throw new CommandProblem(
      'source-left-out',
      scene.command,
      `left out: what \`${name}\` does here is not understood`,
    );
  }

  #ip(words: Words, scene: Scene): boolean {
    const family = ipOptions(words);
    const object = words.next();
    if (object === undefined) return false;
    // In the order of iproute2's own tests (cmds in ip/ip.c).
    if (abbreviates(object, 'address')) return ipAddress(words, scene);
    if (abbreviates(object, 'route')) return ipRoute(words, family, scene);
    if (abbreviates(object, 'neighbor') || abbreviates(object, 'neighbour')) return ipNeighbour(words, scene);
    if (abbreviates(object, 'link')) return ipLink(words, scene);
    throw new CommandProblem(
      'source-left-out',
      scene.command,
      `left out: what \`ip ${object}\` does here is not understood`,
    );
  }

  /** Text that a command reads: lines of `ip -batch`, or a script that is written to a file. */
  #input(values: readonly Value[], input: Span, scene: Scene, around: Surroundings): void {
    const { text } = around.source;
    const body = text.slice(input.start, input.end);
    const texts = values.map((value) => value.text);
    const batch = texts.some((word) => /^--?b(?:a(?:t(?:ch?)?)?)?$/.test(word ?? ''));
    if (texts[0]?.split('/').at(-1) === 'ip' && batch && texts.at(-1) === '-') {
      const prefix = { start: input.start, end: input.start, text: 'ip' };
      const run = new ShellRun((call) => this.#call({ ...call, words: [prefix, ...call.words] }, around));
      run.file(parseShell(text, input));
      return;
    }
    if (!/\bvxlan\b/.test(body)) return;
    const message =
      'left out: the text that is written here has to do with VXLAN; if it is a script, import it by itself';
    this.#report.add('source-left-out', scene.place(scene.command), message);
  }
}

/** Without the programs that only run others, and their options. */
function unwrapped(words: readonly Value[]): readonly Value[] {
  let at = 0;
  while (WRAPPERS.test(words[at]?.text ?? '')) {
    at++;
    while (/^-|^\w+=/.test(words[at]?.text ?? '')) at++;
  }
  return words.slice(at);
}

function isQuestion([name, ...rest]: readonly string[]): boolean {
  if (name === undefined || !/^(?:ip|bridge)$/.test(name.split('/').at(-1) ?? '')) return HARMLESS.test(name ?? ':');
  const [, verb] = rest.filter((word) => !word.startsWith('-'));
  return (
    verb === undefined || /^(?:s(?:h(?:ow?)?)?|l(?:i(?:st?)?)?|lst|get|monitor|help|flush|d(?:el?|elete)?)$/.test(verb)
  );
}

/** Options of `ip` with a value of their own. */
const VALUED = ['family', 'rcvbuf', 'loops', 'netns', 'batch'];

/** Reads the options before the object; the family that they say. */
function ipOptions(words: Words): Family {
  let family: Family = null;
  while (words.ahead?.startsWith('-') === true) {
    const option = (words.next() ?? '').replace(/^--?/, '');
    if (option === '4' || option === '6') {
      family = option === '4' ? 4 : 6;
      continue;
    }
    const full =
      option === 'n' || option === 'b'
        ? { n: 'netns', b: 'batch' }[option]
        : VALUED.find((name) => option.length > 1 && name.startsWith(option));
    if (option === 'f' || full === 'family') family = words.after('-family') === 'inet6' ? 6 : 4;
    else if (full === 'netns') {
      words.after('-netns');
      throw new CommandProblem('source-left-out', words.span, 'left out: this is in another network namespace');
    } else if (full !== undefined) words.after(full);
  }
  return family;
}
