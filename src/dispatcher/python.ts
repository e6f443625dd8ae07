/** Text as Python writes it: the scripts and the logs of networkd-dispatcher expect it so. */

export type JsonValue = string | readonly string[];

const escaped = (text: string): string =>
  JSON.stringify(text).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** As `json.dumps(value, sort_keys=True)`: `{"a": ["x", "y"], "b": "z"}`, in ASCII. */
export function jsonObject(value: Readonly<Record<string, JsonValue>>): string {
  const pairs = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => {
      const text = typeof item === 'string' ? escaped(item) : `[${item.map(escaped).join(', ')}]`;
      return `${escaped(key)}: ${text}`;
    });
  return `{${pairs.join(', ')}}`;
}

/** As `repr(text)`: in single quotes, or in double ones when that saves a backslash. */
export function repr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const special: Readonly<Record<string, string>> = {
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
    '\\': '\\\\',
    [quote]: `\\${quote}`,
  };
  const body = [...text].map((char) => {
    const known = special[char];
    if (known !== undefined) return known;
    const code = char.charCodeAt(0);
    return code < 32 || code === 127 ? `\\x${code.toString(16).padStart(2, '0')}` : char;
  });
  return quote + body.join('') + quote;
}
