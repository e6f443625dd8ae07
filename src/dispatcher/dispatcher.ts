/** The daemon: what systemd-networkd says of its links becomes events, and events run scripts. */
import { LinkReader } from '../kernel/link-status.ts';
import { type LinkChange, type NetworkdStatus, type NetworkdWatch, watchNetworkd } from '../networkd/links.ts';
import { inheritedEnvironment } from './environment.ts';
import { isUnmanaged } from './filter.ts';
import { type Life, Lives } from './lives.ts';
import type { Log } from './log.ts';
import type { DispatcherOptions } from './options.ts';
import { EventQueue, MOST_RUNNING, MOST_WAITING } from './queue.ts';
import { type HookEvent, Runner } from './runner.ts';

export interface Outside {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** sd_notify(3). Throws nothing. */
  notify(state: string): void;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #outside: Outside;
  readonly #log: Log;
  readonly #queue: EventQueue<HookEvent>;
  readonly #runner: Runner;
  readonly #lives = new Lives();
  readonly #watch: NetworkdWatch;
  /** Made when the first link is heard of: while the bus answers, there is time for it. */
  #reader: LinkReader | null = null;
  #ready = false;
  #stopping = false;
  readonly #stopped = Promise.withResolvers<void>();

  constructor(options: DispatcherOptions, outside: Outside) {
    this.#options = options;
    this.#outside = outside;
    this.#log = outside.log;
    this.#queue = new EventQueue({ waiting: MOST_WAITING, running: options.serial ? 1 : MOST_RUNNING });
    this.#runner = new Runner(options, outside.log, inheritedEnvironment(outside.environment));
    if (options.startupTriggers) this.#log.info('Triggering scripts for last-known state for all interfaces');
    this.#watch = watchNetworkd(outside.environment, {
      change: (change) => this.#changed(change),
      gone: (index) => this.#lives.end(index),
      status: (status) => this.#followed(status),
    });
  }

  /** Settles when it was stopped and all scripts are over. */
  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  /** Takes no more events, ends the scripts that run. */
  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#outside.notify('STOPPING=1');
    this.#watch.close();
    const dropped = this.#queue.clear();
    this.#log.info(`Stopping: ${this.#queue.running} events run, ${dropped} were waiting`);
    this.#runner.stop();
    this.#settle();
  }

  #settle(): void {
    if (!this.#stopping || this.#queue.running > 0) return;
    this.#reader?.close();
    this.#reader = null;
    this.#stopped.resolve();
  }

  #followed(status: NetworkdStatus): void {
    const text = statusText(status);
    if (status.state === 'following') this.#log.info(text);
    else this.#log.warning(text);
    this.#outside.notify(`STATUS=${text}`);
    if (this.#ready) return;
    this.#ready = true;
    this.#outside.notify('READY=1');
    this.#log.info('Startup complete');
  }

  /** Names of links that were there first are read in one go. */
  #nameOf(index: number): string | null {
    if (this.#reader !== null) return this.#reader.name(index);
    this.#reader = new LinkReader();
    const names = this.#reader.names();
    for (const [known, name] of names) if (this.#lives.get(known) === null) this.#lives.begin(known, name);
    return names.get(index) ?? null;
  }

  /** As `#nameOf`. When the kernel cannot be asked (no descriptor left), the log says why. */
  #askName(index: number): string | null {
    try {
      return this.#nameOf(index);
    } catch (error) {
      this.#log.error(`Cannot read the name of interface index ${index}: ${String(error)}`);
      return null;
    }
  }

  #lifeOf(index: number): Life | null {
    const known = this.#lives.get(index);
    if (known !== null) return known;
    const name = this.#askName(index);
    const now = this.#lives.get(index);
    if (now !== null || name === null) return now;
    this.#log.debug(`Unknown index ${index} seen, it is ${name}`);
    return this.#lives.begin(index, name);
  }

  #changed({ index, property, administrative, operational, initial }: LinkChange): void {
    const life = this.#lifeOf(index);
    if (life === null) {
      // Come and gone before anybody could look: there is nothing left to run a script for.
      this.#log.info(`Interface index ${index} was gone before its name could be read`);
      return;
    }
    life.unmanaged = isUnmanaged(administrative, life.unmanaged);
    if (initial && !this.#options.startupTriggers) return;
    if (life.unmanaged && this.#options.unmanaged === 'skip') return;
    if (this.#options.ignore.some((pattern) => pattern.test(life.name))) return;
    const state = property === 'administrative' ? administrative : operational;
    this.#lives.queued(life);
    this.#queue.push(life.lane, { life, property, state, administrative, operational });
    this.#startNext();
  }

  #startNext(): void {
    for (let start = this.#queue.next(); start !== null; start = this.#queue.next()) {
      const { lane, event, merged } = start;
      if (merged > 0) {
        this.#log.warning(`Interface ${event.life.name}: ${merged} older events merged, its scripts are too slow`);
      }
      void this.#run(lane, event);
    }
  }

  async #run(lane: number, event: HookEvent): Promise<void> {
    try {
      const reader = this.#reader;
      if (reader !== null) await this.#runner.run(event, { reader, watch: this.#watch });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#log.error(`Error handling state ${event.state} of interface ${event.life.name}: ${why}`);
    }
    this.#queue.done(lane);
    this.#lives.handled(event.life);
    if (this.#stopping) this.#settle();
    else this.#startNext();
  }
}

function statusText(status: NetworkdStatus): string {
  switch (status.state) {
    case 'following':
      return `Following ${status.links} interfaces of systemd-networkd`;
    case 'no-networkd':
      return 'systemd-networkd is not running; waiting for it';
    case 'no-bus':
      return `No system bus: ${status.error.message}; waiting for it`;
    case 'no-answer':
      return `systemd-networkd does not answer: ${status.error.message}; asking again`;
    default:
      return status satisfies never;
  }
}
