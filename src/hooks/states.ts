/** The states of systemd-networkd that have folders of scripts (networkctl(1)). Anything else never becomes a path. */
export const ADMINISTRATIVE = [
  'configured',
  'configuring',
  'failed',
  'pending',
  'unmanaged',
  'linger',
  'initialized',
] as const;

export const OPERATIONAL = [
  'carrier',
  'degraded',
  'degraded-carrier',
  'dormant',
  'enslaved',
  'missing',
  'no-carrier',
  'off',
  'routable',
] as const;

export type AdministrativeState = (typeof ADMINISTRATIVE)[number];
export type OperationalState = (typeof OPERATIONAL)[number];
export type HookState = AdministrativeState | OperationalState;

export const HOOK_STATES: readonly HookState[] = [...ADMINISTRATIVE, ...OPERATIONAL];

export const isAdministrativeState = (text: string): text is AdministrativeState =>
  ADMINISTRATIVE.some((state) => state === text);

export const isOperationalState = (text: string): text is OperationalState =>
  OPERATIONAL.some((state) => state === text);
