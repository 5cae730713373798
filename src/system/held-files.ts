import { sleep, systemClock, type Clock } from '../time/clock.js';

/** What {@link whileHeld} goes by. */
export interface HeldOptions {
  /** Default: this machine's. */
  readonly platform?: NodeJS.Platform | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * What Windows answers to a rename, a removal or an open of a file that somebody else has open: a virus scanner, a search index, a backup.
 * They are the codes of a permission that is missing as well, so that only waiting tells the two apart.
 */
const HELD: ReadonlySet<unknown> = new Set(['EACCES', 'EBUSY', 'EPERM']);
/** The waits between two tries: each is longer by this, up to the longest. */
const STEP_MS = 10;
const LONGEST_MS = 100;
/** Scanners are done in a fraction of it; whoever holds a file for longer is no scanner, and somebody should be told. */
const ALTOGETHER_MS = 2_000;

/**
 * Does something with a file, on Windows again for two seconds while somebody holds it. Elsewhere it is done once: there an open file can
 * be renamed and removed, and a refusal is a refusal.
 * @param work - may be done several times.
 * @throws what `work` threw last.
 */
export async function whileHeld<Result>(
  work: () => Promise<Result>,
  { platform = process.platform, clock = systemClock }: HeldOptions = {},
): Promise<Result> {
  const startedAt = clock.now();
  for (let waitMs = STEP_MS; ; waitMs = Math.min(LONGEST_MS, waitMs + STEP_MS)) {
    try {
      return await work();
    } catch (error) {
      const isHeld = platform === 'win32' && HELD.has((error as NodeJS.ErrnoException | undefined)?.code);
      if (!isHeld || clock.now() - startedAt + waitMs > ALTOGETHER_MS) throw error;
      await sleep(clock, waitMs);
    }
  }
}
