/** `--package-url`: where everlan's package is fetched from, and by what it is known. */
import { EverlanError, EXIT, problem } from '../model/problem.ts';

export interface PackageUrl {
  /** Without the fragment. */
  readonly url: string;
  /** 64 hexadecimal digits; null: not said. */
  readonly sha256: string | null;
  /** For curl: what a redirect must not leave. */
  readonly scheme: 'https' | 'http' | 'file';
}

const SCHEMES = ['https', 'http', 'file'] as const;
const SHA256 = /^#sha256=([0-9a-f]{64})$/i;
const HINT = 'https://host/everlan.deb, with #sha256=… to have it checked';

function refuse(message: string): never {
  throw new EverlanError(problem('package-url', message, { hint: HINT }), EXIT.usage);
}

/** @throws EverlanError, exit 2: what it leads to is installed as root. */
export function readPackageUrl(text: string): PackageUrl {
  const parsed = URL.parse(text);
  if (parsed === null) refuse(`--package-url is no URL: ${text}`);
  const scheme = SCHEMES.find((each) => `${each}:` === parsed.protocol);
  if (scheme === undefined) refuse(`--package-url cannot be ${parsed.protocol}, only ${SCHEMES.join(', ')}`);
  if (!parsed.pathname.endsWith('.deb')) refuse('--package-url leads to no .deb');
  const { hash } = parsed;
  const sha256 = SHA256.exec(hash)?.[1]?.toLowerCase() ?? null;
  if (hash !== '' && sha256 === null) refuse(`--package-url ends with ${hash}, not with #sha256= and 64 digits`);
  if (scheme === 'http' && sha256 === null) {
    refuse('--package-url over http needs #sha256=…, else anybody on the way could give another package');
  }
  parsed.hash = '';
  return { url: parsed.href, sha256, scheme };
}
