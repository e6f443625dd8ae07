/** /usr/share/doc/…/copyright: ours, and those of all that a package carries. Pure. */

export interface Licensed {
  readonly name: string;
  readonly version: string;
  /** The text of its licence, as its authors wrote it. */
  readonly licence: string;
}

const OURS = `everlan
Copyright (C) 2026 the everlan authors

Licensed under the Apache License, Version 2.0 (the "License"); you may not use
this file except in compliance with the License. On Debian systems, the complete
text of the License is in /usr/share/common-licenses/Apache-2.0.

Unless required by applicable law or agreed to in writing, software distributed
under the License is distributed on an "AS IS" BASIS, WITHOUT WARRANTIES OR
CONDITIONS OF ANY KIND, either express or implied. See the License for the
specific language governing permissions and limitations under the License.
`;

const RULE = `${'-'.repeat(80)}\n`;

/** On Debian systems a licence that is in common-licenses is not written out once more. */
const APACHE = /^[ \t]*Apache License\s+Version 2\.0, January 2004\s[\s\S]*?END OF TERMS AND CONDITIONS$/gm;
const COMMON = '[the text of the Apache License, Version 2.0: /usr/share/common-licenses/Apache-2.0]';

/** Form feeds and blanks at the ends of lines are of no use here. */
const tidy = (text: string): string =>
  `${text
    .replaceAll('\f', '')
    .replaceAll(APACHE, COMMON)
    .replaceAll(/[ \t\r]+$/gm, '')
    .trim()}\n`;

export function copyrightFile(carried: readonly Licensed[]): string {
  const parts = carried.map(({ name, version, licence }) => `${name} ${version}\n\n${tidy(licence)}`);
  return [OURS, ...parts].join(`\n${RULE}\n`);
}
