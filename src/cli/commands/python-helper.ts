import { readFileSync } from 'node:fs';
import { EXIT } from '../exit-codes.js';
import type { Run } from '../frame.js';

/** `antenna python-helper`: byte for byte, since people compare it with the one they have. */
export const run: Run = async ({ out }) => {
  const { helperPath } = await import('../../python/index.js');
  const text = readFileSync(helperPath, 'utf8');
  if (out.json) out.document({ path: helperPath, text });
  else out.stdout.write(text);
  return EXIT.ok;
};
