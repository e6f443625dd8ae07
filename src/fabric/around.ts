/** What a value of an overlay may refer to: the hosts of the fabric and the members. */
import { familyOf, type IpAddress, type Prefix } from '../model/address.ts';
import type { Host } from '../model/fabric.ts';
import { type Field, report } from './atoms.ts';
import { didYouMean, oneOf, quote } from './words.ts';

/** What the file says beside the overlay itself. */
export interface Around {
  /** Every name under `hosts`, also of hosts that are wrong in themselves; null: `hosts` could not be read. */
  readonly names: ReadonlySet<string> | null;
  readonly hosts: ReadonlyMap<string, Host>;
  /** Host name → addresses; null: the overlay's `hosts` could not be read. */
  readonly members: ReadonlyMap<string, readonly Prefix[]> | null;
  /** Whether every member was read without fault, so that what a member lacks is really not there. */
  readonly complete: boolean;
}

/** Whether `name` is a member; reported when it is not. */
export function checkMember(name: string, field: Field, { names, members }: Around): boolean {
  if (members === null || members.has(name)) return true;
  if (names === null || names.has(name)) {
    report(field, 'not-a-member', `${field.what} must be a member of the overlay, and ${quote(name)} is none`);
  } else {
    const hint =
      didYouMean(name, members.keys()) ?? (members.size <= 8 ? `members are ${oneOf([...members.keys()])}` : undefined);
    report(
      field,
      'unknown-host',
      `${field.what} must be a member of the overlay, and there is no host ${quote(name)}`,
      hint,
    );
  }
  return false;
}

/** In words, why an outer address does not go with the members' underlays; null when it does. */
export function otherFamily(address: IpAddress, { hosts, members }: Around): string | null {
  for (const name of members?.keys() ?? []) {
    const host = hosts.get(name);
    if (host === undefined) continue;
    if (familyOf(host.underlay) === familyOf(address)) return null;
    return `${address} is IPv${familyOf(address)}, and the underlay of ${name} is IPv${familyOf(host.underlay)}`;
  }
  return null;
}
