/** How the demo's story looks: numbered chapters, commands, their output. */
import type { EchoResult } from '../kernel/echo.ts';
import type { IpAddress } from '../model/address.ts';
import type { Plan, Step } from '../model/step.ts';
import { explain } from '../plan/explain.ts';

/** ECMA-48, SGR: on, off. */
const INK = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], cyan: [36, 39] } as const;

const SIGNS: Record<Step['action'], string> = { add: '+', change: '~', recreate: '!', remove: '-' };

/** Three digits for what is fast, whole numbers for the rest. */
export const ms = (time: number): string => `${time < 10 ? time.toFixed(2) : time.toFixed(0)} ms`;

export class Page {
  readonly #out: (line: string) => void;
  readonly #color: boolean;
  #chapters = 0;

  constructor(out: (line: string) => void, color: boolean) {
    this.#out = out;
    this.#color = color;
  }

  #ink(name: keyof typeof INK, text: string): string {
    const [on, off] = INK[name];
    return this.#color ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  }

  title(text: string): void {
    this.#out(this.#ink('bold', text));
  }

  chapter(text: string): void {
    this.#out('');
    this.#out(this.#ink('bold', `${++this.#chapters}. ${text}`));
  }

  say(text: string): void {
    this.#out(`   ${text}`);
  }

  /** What is run where: `beta$ everlan apply`. */
  command(host: string, text: string): void {
    this.#out(`   ${this.#ink('cyan', `${host}$`)} ${text}`);
  }

  show(lines: readonly string[]): void {
    for (const line of lines) this.#out(`     ${line}`.trimEnd());
  }

  good(text: string): void {
    this.show([this.#ink('green', text)]);
  }

  bad(text: string): void {
    this.show([this.#ink('red', text)]);
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
