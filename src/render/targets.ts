/** Every target. Only the one that is asked for is loaded. */
import type { Target } from './target.ts';

export const TARGETS = {
  networkd: async () => (await import('./networkd.ts')).networkd,
  netplan: async () => (await import('./netplan.ts')).netplan,
  'cloud-init': async () => (await import('./cloud-init.ts')).cloudInit,
  ifupdown: async () => (await import('./ifupdown.ts')).ifupdown,
  'networkd-dispatcher': async () => (await import('./networkd-dispatcher.ts')).networkdDispatcher,
  systemd: async () => (await import('./systemd.ts')).systemd,
  script: async () => (await import('./script.ts')).script,
} as const satisfies Record<string, () => Promise<Target>>;

export type TargetName = keyof typeof TARGETS;

export const TARGET_NAMES = Object.keys(TARGETS) as readonly TargetName[];

export function isTargetName(name: string): name is TargetName {
  return Object.hasOwn(TARGETS, name);
}
