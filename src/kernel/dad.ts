/** Waits for IPv6 addresses that the kernel does not use yet (duplicate address detection, RFC 4862). */
import type { IpAddress } from '../model/address.ts';
import { type AddressMessage, IFA_F } from '../netlink/address.ts';
import { watchChanges } from './hints.ts';
import { Rtnetlink } from './rtnetlink.ts';
import { readAddresses } from './tables.ts';

function isTentative({ attributes: { flags = 0 } }: AddressMessage): boolean {
  return (flags & IFA_F.TENTATIVE) !== 0 && (flags & IFA_F.DADFAILED) === 0;
}

function anyTentative(socket: Rtnetlink, addresses: ReadonlySet<IpAddress>): boolean {
  return readAddresses(socket).some((message) => {
    const address = message.attributes.local ?? message.attributes.address;
    return address !== undefined && addresses.has(address) && isTentative(message);
  });
}

/**
 * Resolves once the kernel uses the addresses, or has found that somebody else has one.
 * @returns false when that was not so in time.
 */
export async function addressesReady(
  addresses: ReadonlySet<IpAddress>,
  options: { readonly netns?: number; readonly timeoutMs: number },
): Promise<boolean> {
  if (addresses.size === 0) return true;
  const socket = new Rtnetlink(options.netns);
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const look = (): void => {
    try {
      if (!anyTentative(socket, addresses)) resolve(true);
    } catch (error) {
      reject(error);
    }
  };
  const watch = watchChanges(options.netns, look);
  const timer = setTimeout(() => resolve(false), options.timeoutMs);
  try {
    look();
    return await promise;
  } finally {
    clearTimeout(timer);
    watch.close();
    socket.close();
  }
}
