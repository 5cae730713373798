/** What goes wrong with requests, as shares of all requests. */
export interface FaultMix {
  readonly serverErrors: number;
  readonly resets: number;
  readonly stalls: number;
}

/** A chaos run. Durations in milliseconds; shares of the job's tasks from 0 to 1. */
export interface ChaosSettings {
  /** Of every draw: faults, victims, model times. */
  readonly seed: number;
  readonly tasks: number;
  readonly workers: number;
  /** Visibility timeout, on the server and as the workers' `leaseMs`. */
  readonly leaseMs: number;
  /** What the `api-key` dialect gives a task. */
  readonly maxDeliveries: number;
  readonly api: FaultMix;
  readonly images: FaultMix;
  /** The clients' `attemptTimeoutMs`: how long a stalled request is waited for. */
  readonly attemptTimeoutMs: number;
  readonly downloadTimeoutMs: number;
  /** Shortest and longest handler call. */
  readonly modelMs: readonly [number, number];
  readonly concurrency: number;
  /** How long a result waits for company: what a kill can cost at most, and what the spool cannot save. */
  readonly lingerMs: number;
  /** Nobody answers for so long, once this share of the tasks is counted. */
  readonly outage: { readonly atShare: number; readonly durationMs: number };
  /** The server saves only so many results a second for a while, far fewer than are computed, and lets leases run on until then. */
  readonly slowSaving: { readonly atShare: number; readonly durationMs: number; readonly perSecond: number };
  /** The key is revoked, and a new one written into the workers' key file after the gap. */
  readonly key: { readonly atShare: number; readonly gapMs: number };
  /** One worker is killed so often, ±50 %, until this share is counted. The first worker is spared: its memory is watched. */
  readonly kills: { readonly everyMs: number; readonly untilShare: number; readonly atMost: number };
  /** Share of handler runs beyond one for each task that is not a broken promise. */
  readonly maxDuplicateShare: number;
  /** The model runs in Python, in a child that is killed, hangs and runs out of memory. */
  readonly python: boolean;
  readonly sampleEveryMs: number;
  /** A run that takes longer has got stuck. */
  readonly deadlineMs: number;
}

const COMMON = {
  maxDeliveries: 5,
  api: { serverErrors: 0.1, resets: 0.05, stalls: 0.05 },
  images: { serverErrors: 0.02, resets: 0.01, stalls: 0.01 },
  concurrency: 4,
  maxDuplicateShare: 0.05,
  python: false,
} as const;

/** The run of the issue. */
export const FULL: ChaosSettings = {
  ...COMMON,
  seed: 1,
  tasks: 100_000,
  workers: 4,
  leaseMs: 30_000,
  attemptTimeoutMs: 2_000,
  downloadTimeoutMs: 1_000,
  modelMs: [2, 10],
  outage: { atShare: 0.5, durationMs: 30_000 },
  slowSaving: { atShare: 0.7, durationMs: 60_000, perSecond: 30 },
  key: { atShare: 0.25, gapMs: 3_000 },
  kills: { everyMs: 5_000, untilShare: 0.97, atMost: Number.POSITIVE_INFINITY },
  lingerMs: 500,
  sampleEveryMs: 1_000,
  deadlineMs: 3_600_000,
};

/**
 * The same in less than a minute, for every test run: fewer tasks, and every time a third of the full one's. Leases below 10 s would leave
 * a worker no time that it may plan with. A slow machine takes longer and sees no more kills for it.
 */
export const SHORT: ChaosSettings = {
  ...COMMON,
  seed: 1,
  tasks: 1_600,
  workers: 3,
  leaseMs: 10_000,
  attemptTimeoutMs: 700,
  downloadTimeoutMs: 700,
  modelMs: [20, 60],
  outage: { atShare: 0.6, durationMs: 2_500 },
  slowSaving: { atShare: 0.7, durationMs: 15_000, perSecond: 15 },
  key: { atShare: 0.3, gapMs: 1_000 },
  kills: { everyMs: 3_000, untilShare: 0.9, atMost: 6 },
  lingerMs: 170,
  sampleEveryMs: 250,
  deadlineMs: 300_000,
};

/**
 * The short run with its model in Python. A call that dies or hangs takes the images of its batch along, and all of them are computed once
 * more: that is what halves cost, and no broken promise.
 */
export const PYTHON: ChaosSettings = {
  ...SHORT,
  tasks: 600,
  workers: 2,
  python: true,
  // That is another run's matter.
  slowSaving: { ...SHORT.slowSaving, atShare: Number.POSITIVE_INFINITY },
  maxDuplicateShare: 0.5,
};
