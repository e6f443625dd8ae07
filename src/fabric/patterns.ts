/** Forms of names and addresses: one source for the checks and for the JSON Schema. */

export { LINK_NAME } from '../model/link-name.ts';

/** Letters, digits and hyphens; it becomes part of link aliases and of the names of namespaces. */
export const FABRIC_NAME = /^[a-z][a-z0-9-]{0,31}$/;

/** One label of a hostname (RFC 1123), in small letters. Without dots and colons it is never taken for an address. */
export const HOST_NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** RFC 1123, section 2.1; a final dot is not a part of the name that a machine has. */
export const HOSTNAME =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

/** Six bytes with colons, in any case. */
export const MAC = /^[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}$/;

const OCTET = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';

/** For editors only: the checks read addresses with parseIp. */
export const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
export const IPV6 = /^(?=.*:)[0-9A-Fa-f:.]{2,45}$/;
export const IPV4_PREFIX = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}/(?:3[0-2]|[12]?[0-9])$`);
export const IPV6_PREFIX = /^(?=.*:)[0-9A-Fa-f:.]{2,45}\/(?:12[0-8]|1[01][0-9]|[1-9]?[0-9])$/;

/** What netplan reads as a boolean, beside true and false themselves, in any case. */
export const BOOLEAN_WORD =
  /^(?:[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[Yy](?:[Ee][Ss])?|[Nn][Oo]?|[Oo](?:[Nn]|[Ff][Ff]))$/;
