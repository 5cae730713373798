import type { TaskImage } from '../handler/handler.js';
import type { BatchContext, BatchOutcome } from './executor.js';
import { HandlerOutputError } from './execution-errors.js';
import type { HandlerMode } from './handlers.js';
import { failAll, isolate, reporting, type Attempt } from './isolate.js';

/**
 * Runs a batch in the units that its handler takes: image by image, side by side as far as there are slots, or as a whole.
 * @param onAttempt - hears of every call.
 * @returns one outcome per image, in order; never rejects.
 */
export async function runUnits(
  batch: readonly TaskImage[],
  mode: HandlerMode,
  attempt: Attempt,
  onAttempt?: BatchContext['onAttempt'],
): Promise<readonly BatchOutcome[]> {
  const watched = reporting(checked(attempt), onAttempt);
  if (mode === 'batch' || batch.length === 1) return batch.length === 0 ? [] : isolate(batch, watched);
  const units = batch.map((image) => [image]);
  const outcomes = await Promise.all(units.map((unit) => isolate(unit, watched)));
  return outcomes.flat();
}

/** Whoever answers with too few outcomes would shift the results of one image to another. */
function checked(attempt: Attempt): Attempt {
  return async (unit, fresh) => {
    const outcomes = await attempt(unit, fresh);
    if (outcomes.length === unit.length) return outcomes;
    return failAll(unit, new HandlerOutputError('the executor lost the outcome of this image'));
  };
}
