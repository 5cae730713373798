import { checkArguments, isDuration } from '../../errors/arguments.js';

/** How far something was at a moment. */
interface Sample {
  readonly atMs: number;
  readonly done: number;
}

/** How fast something goes on. */
export interface PaceReading {
  /** Units a second over the window; undefined before two moments are known. */
  readonly perSecond: number | undefined;
  /** Milliseconds until all is done at this pace; undefined where it cannot be told. */
  readonly leftMs: number | undefined;
}

/** Samples closer together than this tell nothing new. */
const MIN_STEP_MS = 250;

/** Measures how fast a counter grows, over a sliding window, so that an estimate follows what happens now and not what was an hour ago. */
export class Pace {
  readonly #samples: Sample[] = [];
  readonly #windowMs: number;

  /**
   * @param windowMs - how far back it looks, in milliseconds. Default 120,000.
   * @throws AntennaConfigError unless it is above 0.
   */
  constructor(windowMs = 120_000) {
    checkArguments({ windowMs }, { windowMs: isDuration });
    this.#windowMs = windowMs;
  }

  /** Takes note of a count; one that fell, after a retry of the job, begins anew. What is no number is left out. */
  add(done: number, atMs: number): void {
    if (!Number.isFinite(done) || !Number.isFinite(atMs)) return;
    const last = this.#samples.at(-1);
    if (last && done < last.done) this.#samples.length = 0;
    else if (last && atMs - last.atMs < MIN_STEP_MS) return;
    this.#samples.push({ atMs, done });
    // The one before the window stays, so that the window is covered to its beginning.
    while (this.#samples.length > 2 && (this.#samples[1]?.atMs ?? atMs) <= atMs - this.#windowMs)
      this.#samples.shift();
  }

  /** @param remaining - what is left to do, if known. */
  read(remaining: number | undefined): PaceReading {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (!first || !last || last.atMs <= first.atMs) return { perSecond: undefined, leftMs: undefined };
    const perSecond = ((last.done - first.done) / (last.atMs - first.atMs)) * 1_000;
    if (remaining === undefined) return { perSecond, leftMs: undefined };
    if (remaining <= 0) return { perSecond, leftMs: 0 };
    return { perSecond, leftMs: perSecond > 0 ? (remaining / perSecond) * 1_000 : undefined };
  }
}
