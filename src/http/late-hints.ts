import { late } from '../time/late.js';
import type { HintFor } from './hints.js';

const hints = late(() => import('./hints.js'));

/** Operations with advice for a 500, in hints.ts. */
const EXPLAINED = /^(?:pipelines\.register|processingServices\.)/;

/**
 * The advice for an error answer, loaded with the first one that has any: most clients never say one of its sentences. An answer that is
 * tried again has none, so a retry waits for nothing but its time; and an error without advice is better than none.
 */
export async function hintsFor(operation: string, status: number): Promise<HintFor | undefined> {
  if (![400, 401, 403, 404, 413].includes(status) && !(status === 500 && EXPLAINED.test(operation)))
    return undefined;
  try {
    return (await hints()).hintFor;
  } catch {
    return undefined;
  }
}
