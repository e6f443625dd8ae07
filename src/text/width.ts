/** How many terminal columns a text takes, near enough for a caret to stand under the right character. */

/** East Asian wide and fullwidth characters, and emoji (Unicode UAX #11, the ranges that matter). */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;
/** Combining marks and invisible format characters. */
const ZERO = /[\p{Mn}\p{Me}\p{Cf}]/u;
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

function characterWidth(character: string): number {
  if (character <= '~') return 1;
  if (ZERO.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** Nothing that moves the cursor or turns the direction: text out of a file goes to somebody's terminal. */
export function printable(text: string): string {
  return text.replace(CONTROL, '\ufffd');
}
