/** One command whose netlink traffic is captured, and what several of them share. */

export interface Scenario {
  readonly name: string;
  /** Commands that are run first, not captured. */
  readonly before?: readonly string[];
  readonly command: string;
  /** The kernel is to refuse it. */
  readonly refused?: boolean;
  /** Of the request, such as `NEWLINK`. */
  readonly type: string;
  /** The request, all of it that our tables know. */
  readonly request: object;
  /** Given: the answers are kept, and one of their messages has all of this. */
  readonly answer?: object;
}

/** AF_* */
export const INET = 2;
export const BRIDGE = 7;
export const INET6 = 10;

export const LINK = { index: 0, flags: 0, change: 0 };
export const MULTI = 0x2;
export const UP_RUNNING = 0x11043; // UP, BROADCAST, RUNNING, MULTICAST, LOWER_UP

/** What `ip` asks for when it shows one link: virtual functions (RTEXT_FILTER_VF), and counters. */
export const shown = (name: string) => ({ link: { ...LINK, attributes: { name, extMask: 1 } } });
export const made = (attributes: object) => ({ link: { ...LINK, attributes } });
export const changed = (index: number, attributes: object) => ({ link: { ...LINK, index, attributes } });
export const vxlanMade = (name: string, vxlan: object, more: object = {}) =>
  made({ name, ...more, linkInfo: { kind: 'vxlan', vxlan } });
/** Some attributes of the one link that a GETLINK is answered with. */
export const vxlanTold = (vxlan: object) => ({
  type: 'NEWLINK',
  link: { attributes: { linkInfo: { kind: 'vxlan', vxlan } } },
});
export const RESERVED = 'f7ffffff000000ff';
