/** Which names run-parts takes (run-parts(8)). Names are bytes, here as Latin-1 text: one character is one byte. */

/** Of one name: whether it is taken, and by which rules, in run-parts' own words for `--debug`. */
export interface Verdict {
  readonly taken: boolean;
  readonly rules: string;
}

export type NameRule = (name: string) => Verdict;

const CLASSICAL = /^[a-zA-Z0-9_-]+$/;
/** A name of several parts, as the Linux Standard Base has them: `_vendor.example-name`. */
const HIERARCHICAL = /^_?(?:[a-z0-9_.]+-)+[a-z0-9]+$/;
/** What dpkg leaves behind, of names that HIERARCHICAL takes. */
const LEFT_BY_DPKG = /^[a-z0-9-].*\.dpkg-(?:old|dist|new|tmp)$/;
/** Assigned by LANANA, and cron's. */
const TRADITIONAL = /^[a-z0-9][a-z0-9-]*$/;

const word = (taken: boolean): string => (taken ? 'pass' : 'fail');

/** The rule without options: ASCII letters, digits, `_` and `-`. So no `x.sh`. */
export const isClassicalName = (name: string): boolean => CLASSICAL.test(name);

export const classicalRule: NameRule = (name) => {
  const taken = isClassicalName(name);
  return { taken, rules: `classicalre ${word(taken)}` };
};

/** `--lsbsysinit`. */
export const lsbRule: NameRule = (name) => {
  if (HIERARCHICAL.test(name)) {
    const taken = !LEFT_BY_DPKG.test(name);
    return { taken, rules: `hierre pass, excsre ${word(taken)}` };
  }
  const taken = TRADITIONAL.test(name);
  return { taken, rules: `tradre ${word(taken)}` };
};

/** `--regex`. */
export function customRule(matches: (name: string) => boolean): NameRule {
  return (name) => {
    const taken = matches(name);
    return { taken, rules: `customre ${word(taken)}` };
  };
}
