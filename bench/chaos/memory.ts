/** Resident memory at a moment. */
export interface MemorySample {
  /** Milliseconds. */
  readonly at: number;
  /** Bytes. */
  readonly rss: number;
}

/** How memory went over a process's life. Sizes in bytes. */
export interface MemoryCourse {
  readonly samples: number;
  /** Highest of the three tenths that follow the first: start-up is over by then. */
  readonly early: number;
  /** Highest of the last three tenths. */
  readonly late: number;
  readonly ratio: number;
  /** Of the straight line through everything after the first tenth. */
  readonly slopePerMinute: number;
  readonly highest: number;
}

const SETTLED = 0.1;
const SPAN = 0.3;

/**
 * Compares high-water marks: V8 gives a third of its heap back in an idle moment, such as an outage, and takes it again in the next
 * minutes, so that a median says where in that cycle it was taken.
 * @returns undefined for a process too short-lived to say anything about.
 */
export function memoryCourse(samples: readonly MemorySample[]): MemoryCourse | undefined {
  if (samples.length < 10) return undefined;
  const part = (from: number, to: number): MemorySample[] =>
    samples.slice(Math.floor(from * samples.length), Math.ceil(to * samples.length));
  const early = highestRss(part(SETTLED, SETTLED + SPAN));
  const late = highestRss(part(1 - SPAN, 1));
  return {
    samples: samples.length,
    early,
    late,
    ratio: late / early,
    slopePerMinute: slope(part(SETTLED, 1)) * 60_000,
    highest: highestRss(samples),
  };
}

function highestRss(samples: readonly MemorySample[]): number {
  return Math.max(...samples.map(({ rss }) => rss));
}

/** Least squares, in bytes a millisecond. */
function slope(samples: readonly MemorySample[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanAt = mean(samples.map(({ at }) => at));
  const meanRss = mean(samples.map(({ rss }) => rss));
  const spread = samples.reduce((sum, { at }) => sum + (at - meanAt) ** 2, 0);
  const joint = samples.reduce((sum, { at, rss }) => sum + (at - meanAt) * (rss - meanRss), 0);
  return spread === 0 ? 0 : joint / spread;
}
