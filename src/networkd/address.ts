/** Where the system bus listens (D-Bus specification, Server Addresses). */
import { dirname } from 'node:path';

const SYSTEM_BUS = 'unix:path=/run/dbus/system_bus_socket';

export interface BusAddress {
  /** For node:net: a path, or a name in the abstract namespace that begins with NUL. */
  readonly path: string;
  /** The folder in which the socket appears; null for an abstract name. */
  readonly folder: string | null;
}

/** `%2f` → `/`; null for a broken escape or one that gives a NUL. */
function decoded(value: string): string | null {
  try {
    const text = decodeURIComponent(value);
    return text.includes('\0') ? null : text;
  } catch {
    return null;
  }
}

function parseOne(entry: string): BusAddress[] {
  const [transport = '', rest = ''] = entry.split(/:(.*)/s);
  if (transport !== 'unix') return [];
  const keys = new Map(rest.split(',').map((pair) => [pair.split('=', 1)[0] ?? '', pair.replace(/^[^=]*=?/, '')]));
  const path = decoded(keys.get('path') ?? '');
  if (path) return [{ path, folder: dirname(path) }];
  const abstract = decoded(keys.get('abstract') ?? '');
  return abstract ? [{ path: `\0${abstract}`, folder: null }] : [];
}

/**
 * The addresses to try, in order; those of transports other than `unix:path=` and `unix:abstract=` are left out. Without
 * DBUS_SYSTEM_BUS_ADDRESS: /run/dbus/system_bus_socket.
 */
export function systemBusAddresses(env: { readonly [name: string]: string | undefined }): BusAddress[] {
  return (env.DBUS_SYSTEM_BUS_ADDRESS || SYSTEM_BUS).split(';').flatMap(parseOne);
}
