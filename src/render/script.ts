/** Target `script`: one POSIX shell file. */
import { OPTION_NAMES, type Option } from '../model/options.ts';
import type { Support, Target } from './target.ts';

const support = Object.fromEntries(OPTION_NAMES.map((name) => [name, 'yes'])) as Record<Option, Support>;

export const script: Target = {
  name: 'script',
  summary: 'a shell script',
  support,
  render: () => ({ files: [{ path: 'x', text: '#!/bin/sh\n', mode: 0o755 }], notes: [] }),
};
