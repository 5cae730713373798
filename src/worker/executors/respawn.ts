import { sleep, type Clock } from '../../time/clock.js';
import { abortReason } from './joined-signal.js';

/** First wait after a second failure in a row; doubles. */
const BASE_MS = 500;
/** Longest wait. */
const CAP_MS = 30_000;

/**
 * How long to wait before a thread or process is started again. The first failure costs nothing, as one bad image explains it; a
 * device that is gone kills every successor as well, and starting them in a hot loop would only add to it.
 * @param failures - crashes and failed starts since the last call that ended well.
 * @param random - jitter in [0, 1).
 */
export function respawnDelayMs(failures: number, random: () => number): number {
  if (failures < 2) return 0;
  return random() * Math.min(CAP_MS, BASE_MS * 2 ** (failures - 2));
}

/** What is known of a process when its batch is done. */
export interface ChildAge {
  readonly batches: number;
  readonly rssBytes: number;
}

/** Whether a process is to be replaced, and in words why. 0 as a limit is none. */
export function recycleReason(
  age: ChildAge,
  limits: { readonly maxBatches: number; readonly maxRssBytes: number },
): string | undefined {
  if (limits.maxRssBytes > 0 && age.rssBytes > limits.maxRssBytes)
    return `its memory is ${age.rssBytes} of ${limits.maxRssBytes} bytes`;
  if (limits.maxBatches > 0 && age.batches >= limits.maxBatches) return `it has run ${age.batches} batches`;
  return undefined;
}

/**
 * Waits before a start, if it must.
 * @throws HandlerAbortError when the signal aborts meanwhile.
 */
export async function backOff(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (delayMs <= 0) return;
  try {
    await sleep(clock, delayMs, signal);
  } catch {
    throw abortReason(signal);
  }
}
