/** The architectures of the packages: Debian's names. */

/** What npm and Node call it. */
export const NODE_ARCH = { amd64: 'x64', arm64: 'arm64' } as const;

export type Arch = keyof typeof NODE_ARCH;

export const ARCHES: readonly Arch[] = ['amd64', 'arm64'];

export function isArch(word: string): word is Arch {
  return ARCHES.some((arch) => arch === word);
}

export function hostArch(): Arch {
  const arch = ARCHES.find((each) => NODE_ARCH[each] === process.arch);
  if (arch === undefined) throw new Error(`there are no packages for ${process.arch}`);
  return arch;
}
