/** How the demo's story looks: numbered chapters, commands, their output. */
import type { EchoResult } from '../kernel/echo.ts';
import type { IpAddress } from '../model/address.ts';
import type { Plan, Step } from '../model/step.ts';
import { explain } from '../plan/explain.ts';

const SIGNS: Record<Step['action'], string> = { add: '+', change: '~', recreate: '!', remove: '-' };

/** Three digits for what is fast, whole numbers for the rest. */
export const ms = (time: number): string => `${time < 10 ? time.toFixed(2) : time.toFixed(0)} ms`;

type Paint = (text: string) => string;

/** Where the story goes, and in which colours. */
export interface Paper {
  /** Gets whole lines, line feeds included. */
  readonly out: (text: string) => void;
  readonly paints: Readonly<Record<'bold' | 'red' | 'green' | 'cyan', Paint>>;
}

export class Page {
  readonly #paper: Paper;
  #chapters = 0;

  constructor(paper: Paper) {
    this.#paper = paper;
  }

  #line(text: string): void {
    this.#paper.out(`${text}\n`);
  }

  title(text: string): void {
    this.#line(this.#paper.paints.bold(text));
  }

  blank(): void {
    this.#line('');
  }

  chapter(text: string): void {
    this.blank();
    this.title(`${++this.#chapters}. ${text}`);
  }

  say(text: string): void {
    this.#line(`   ${text}`);
  }

  /** What is run where: `beta$ everlan apply`. */
  command(host: string, text: string): void {
    this.#line(`   ${this.#paper.paints.cyan(`${host}$`)} ${text}`);
  }

  show(lines: readonly string[]): void {
    for (const line of lines) this.#line(`     ${line}`.trimEnd());
  }

  good(text: string): void {
    this.show([this.#paper.paints.green(text)]);
  }

  bad(text: string): void {
    this.show([this.#paper.paints.red(text)]);
  }

  plan({ steps }: Plan): void {
    this.show(steps.map((step) => `${SIGNS[step.action]} ${explain(step)}`));
  }

  echo(address: IpAddress, size: number, result: EchoResult): void {
    const bytes = `${size} bytes`.padStart(10);
    if (result.ok) {
      const late = result.attempt === 1 ? '' : `, at the ${result.attempt}. attempt`;
      this.show([`${bytes} from ${address}: ${ms(result.rttMs)}${late}`]);
    } else this.bad(`${bytes} to ${address}: ${result.detail}`);
  }
}
