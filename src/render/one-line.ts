/**
 * Text on one line, as comments need it: control characters and line separators become `?`. A fabric's checked values have
 * none; the name of its file may.
 */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '?');
}
