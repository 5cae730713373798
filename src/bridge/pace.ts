import type { Logger } from '../log/logger.js';
import { sleep, type Clock } from '../time/clock.js';
import { BRIDGE_DEFAULTS } from './defaults.js';

/** A loop that looks every two seconds and speaks once a minute. */
export interface Pace {
  /** @throws the signal's reason when it aborts. */
  wait(saying: string): Promise<void>;
}

/** A service that loads its models for minutes would fill a log with thirty lines a minute that say the same. */
const SAY_EVERY_MS = 60_000;

export function paced(
  clock: Clock,
  options: { readonly logger: Logger; readonly pollIntervalMs?: number | undefined },
  signal: AbortSignal,
): Pace {
  let saidAt = Number.NEGATIVE_INFINITY;
  return {
    async wait(saying) {
      if (clock.now() - saidAt >= SAY_EVERY_MS) {
        saidAt = clock.now();
        options.logger.warn({ reason: saying }, 'waiting for a push service');
      }
      await sleep(clock, options.pollIntervalMs ?? BRIDGE_DEFAULTS.pollIntervalMs, signal);
    },
  };
}
