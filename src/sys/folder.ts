/** The names in a folder as the kernel lists them: bytes, in its own order, with `.` and `..`. */
import { closeSync, constants, openSync } from 'node:fs';
import { check, libc } from './libc.ts';

const SIZE = 32_768;
// struct linux_dirent64 of getdents(2): inode 8, offset 8, length of the record 2, type 1, name with a NUL.
const RECORD_LENGTH = 16;
const NAME = 19;

function namesOf(records: Buffer): Buffer[] {
  const names: Buffer[] = [];
  for (let at = 0; at < records.length; ) {
    const length = records.readUInt16LE(at + RECORD_LENGTH);
    const record = records.subarray(at + NAME, at + length);
    names.push(Buffer.from(record.subarray(0, record.indexOf(0))));
    at += length;
  }
  return names;
}

/** @throws Node's error when the folder cannot be opened, SysError when it cannot be read. */
export function readFolder(path: Uint8Array): Buffer[] {
  const fd = openSync(Buffer.from(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const buffer = Buffer.alloc(SIZE);
    const names: Buffer[] = [];
    for (;;) {
      const length = check('getdents64', libc.getdents64(fd, buffer, buffer.length));
      if (length === 0) return names;
      names.push(...namesOf(buffer.subarray(0, length)));
    }
  } finally {
    closeSync(fd);
  }
}
