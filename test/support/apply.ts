/** A fabric's text, applied to a test host as `everlan apply` does it, without the command line around it. */
import { type ConvergeOptions, converge, lookAt, type Report, removeAll } from '../../src/apply/converge.ts';
import { memoryStore, type Store } from '../../src/apply/store.ts';
import { parseFabricOrThrow } from '../../src/fabric/parse.ts';
import { resolve } from '../../src/fabric/resolve.ts';
import type { Desired } from '../../src/model/desired.ts';
import type { Plan } from '../../src/model/step.ts';
import { explain } from '../../src/plan/explain.ts';
import type { TestHost } from './host.ts';

export interface Applier {
  readonly store: Store;
  /** What the text wants of this host now. */
  desired(text: string): Desired;
  plan(text: string, options?: ConvergeOptions): Plan;
  /** The steps in words, for tables of expectations. */
  planned(text: string, options?: ConvergeOptions): readonly string[];
  apply(text: string, options?: ConvergeOptions): Report;
  down(): Report;
}

/** @param as the host of the file that the test host is. */
export function applier(host: TestHost, as = 'alpha', fabric = 'test'): Applier {
  const store = memoryStore(fabric);
  const desired = (text: string): Desired =>
    resolve(parseFabricOrThrow(Buffer.from(text), 'test.yaml').fabric, as, host.kernel.look().facts);
  const plan = (text: string, options?: ConvergeOptions): Plan =>
    lookAt(host.kernel, desired(text), store, options).plan;
  return {
    store,
    desired,
    plan,
    planned: (text, options) => plan(text, options).steps.map(explain),
    apply: (text, options) => converge(host.kernel, desired(text), store, options),
    down: () => removeAll(host.kernel, store),
  };
}
