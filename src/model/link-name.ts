/**
 * What the kernel takes (dev_valid_name in net/core/dev.c: up to 15 bytes, not `.` or `..`, no blank, `/` or `:`),
 * less what would surprise: `%d` makes it count, `all` and `default` are folders of /proc/sys/net, a hyphen reads as an
 * option, `none` and `auto` are words of the file, and other than printable ASCII shows differently everywhere.
 */
export const LINK_NAME = /^(?!-)(?!\.{1,2}$)(?!(?:lo|all|default|none|auto)$)[!-$&-.0-9;-~]{1,15}$/;
