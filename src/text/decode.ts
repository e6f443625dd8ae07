/** Bytes of a file → text, or the reason why they are none. */
import { isUtf8 } from 'node:buffer';
import type { Problem } from '../model/problem.ts';
import { textProblem } from './errors.ts';
import { Lines, type Source } from './lines.ts';

export const MAX_BYTES = 4 * 1024 * 1024;

/** UTF-8 without its byte order mark; a problem for anything else, and for more than 4 MiB. */
export function decode(bytes: Uint8Array, file: string): Source | Problem {
  if (bytes.length > MAX_BYTES) {
    return textProblem('file-size', `${file} is larger than 4 MiB`);
  }
  const body = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.length);
  if (isUtf8(buffer)) return { file, text: buffer.toString('utf8') };
  const text = buffer.toString('utf8');
  const fault = firstFault(text, buffer);
  const byte = (buffer[fault.byte] ?? 0).toString(16).padStart(2, '0');
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  const place = new Lines({ file, text }).place(fault.offset, fault.offset + 1);
  const message = `byte 0x${byte} at offset ${fault.byte + bytes.length - body.length} is not UTF-8`;
  if (!utf16) return textProblem('not-utf8', message, { place });
  return textProblem('not-utf8', message, { place, hint: 'the file looks like UTF-16: save it as UTF-8' });
}

/** The first replacement character in `text` that does not stand in `bytes`: there the decoder gave up. */
function firstFault(text: string, bytes: Uint8Array): { byte: number; offset: number } {
  let byte = 0;
  let offset = 0;
  for (const character of text) {
    const real = bytes[byte] === 0xef && bytes[byte + 1] === 0xbf && bytes[byte + 2] === 0xbd;
    if (character === '\ufffd' && !real) break;
    byte += Buffer.byteLength(character);
    offset += character.length;
  }
  return { byte, offset };
}
