/** What can be imported: one row for each source that is read from files. `kernel` is beside them: it is handed a state. */
import type { Importer } from './found.ts';

export interface SourceRow {
  /**
   * Where the tool itself keeps its files, files or folders; of files with the same path below two of them, the tool reads
   * that of the first. Empty: nowhere.
   */
  readonly places: readonly string[];
  /** Its module, when it is needed. */
  load(): Promise<{ readonly importer: Importer }>;
}

export const SOURCES = {
  // netplan(5)
  netplan: { places: ['/run/netplan', '/etc/netplan', '/lib/netplan'], load: () => import('./netplan.ts') },
  // systemd.network(5)
  networkd: {
    places: ['/etc/systemd/network', '/run/systemd/network', '/usr/local/lib/systemd/network', '/lib/systemd/network'],
    load: () => import('./networkd.ts'),
  },
  // interfaces(5)
  ifupdown: { places: ['/etc/network/interfaces'], load: () => import('./ifupdown.ts') },
  script: { places: [], load: () => import('./script.ts') },
} as const satisfies Record<string, SourceRow>;

export type SourceName = keyof typeof SOURCES;

export const isSource = (name: string): name is SourceName => Object.hasOwn(SOURCES, name);
