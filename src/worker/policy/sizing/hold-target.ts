/** Which bound set the number of tasks to hold. */
export type HoldBound = 'cold-start' | 'lease' | 'need' | 'batch' | 'bytes' | 'max-held';

/** Measured times and given limits. Milliseconds unless named otherwise. */
export interface SizingInputs {
  readonly leaseMs: number;
  /** Busy time that one task takes off the model, mean and standard deviation; 0 before the first measurement. */
  readonly taskMeanMs: number;
  readonly taskSdMs: number;
  /** From start to end of one handler call, mean and standard deviation. */
  readonly callMeanMs: number;
  readonly callSdMs: number;
  readonly downloadP95Ms: number;
  readonly reserveP95Ms: number;
  /** From the end of the handler to the accepted post, waiting for company included. */
  readonly postP95Ms: number;
  /**
   * How long a task is on its way to the model and from it: two reservations, a download and a post, over all jobs of the pipeline. Jobs
   * of one pipeline share a model, so they must not disagree on what keeps it busy: the one that thinks least of it would get nothing.
   * Default: from this job's own times.
   */
  readonly awayMs?: number | undefined;
  /** Handler calls measured so far. */
  readonly calls: number;
  /** Tasks in one handler call. */
  readonly batchSize: number;
  /** What the pipeline asks for, when larger batches failed as a whole and `batchSize` is less. */
  readonly wantedBatch?: number | undefined;
  /** Handler calls side by side. */
  readonly lanes: number;
  readonly imageP95Bytes: number;
  readonly budgetBytes: number;
  readonly maxHeld: number;
  /** Reduction after late tasks, in (0, 1]. */
  readonly leaseScale: number;
}

/** How many tasks to hold, and why. */
export interface Sizing {
  /** Tasks to hold, reserved and not yet accepted by the server; at least 1. */
  readonly target: number;
  readonly bound: HoldBound;
  readonly leaseCap: number;
  readonly need: number;
  readonly bytesCap: number;
  /** Usable part of the lease. */
  readonly budgetMs: number;
  /** Tasks in one handler call, cut so that one call does not outlive the lease. */
  readonly modelBatch: number;
  /** A single task takes longer than the usable part of the lease: it will usually be done twice. */
  readonly leaseTooShort: boolean;
}

/** Share of the lease that may be planned with; the rest is for what cannot be measured. */
const USABLE_SHARE = 0.75;
/** The server acknowledges only after saving: at least 5 s, and a tenth of the lease (WORKER §3.1). */
const serverSaveMs = (leaseMs: number): number => Math.max(5_000, 0.1 * leaseMs);
/** 99 % of a normal distribution lies below the mean and this many standard deviations. */
const Z99 = 2.33;
/** Headroom on the tasks that cover the time of a round trip. */
const NEED_HEADROOM = 1.25;
/** A model cannot be infinitely fast; below this the measured time is the clock's noise. */
const MIN_TASK_MS = 0.05;
/** 1, 2, 4 tasks until three calls have been measured. */
const COLD_START = [1, 2, 4];
/** Calls that must be measured before the formulas are trusted. */
export const COLD_CALLS = COLD_START.length;

/** Usable part of a lease: `0.75·T − S − p95(reserve) − p95(post)`. */
export function usableLeaseMs(leaseMs: number, reserveP95Ms: number, postP95Ms: number): number {
  return USABLE_SHARE * leaseMs - serverSaveMs(leaseMs) - reserveP95Ms - postP95Ms;
}

/**
 * How many tasks to hold: enough to keep the model busy, never more than can be posted in time. A task cannot be given back, so each
 * one too many costs a delivery and a whole lease of waiting.
 */
export function holdTarget(inputs: SizingInputs): Sizing {
  const { maxHeld, lanes, batchSize } = inputs;
  const budgetMs = usableLeaseMs(inputs.leaseMs, inputs.reserveP95Ms, inputs.postP95Ms);
  const bytesCap = Math.max(1, Math.floor(inputs.budgetBytes / Math.max(1, inputs.imageP95Bytes)));
  const cold = COLD_START[inputs.calls];
  if (cold !== undefined) {
    const target = Math.max(1, Math.min(cold, maxHeld, bytesCap));
    const sizes = { leaseCap: cold, need: cold, bytesCap, budgetMs };
    return {
      ...sizes,
      target,
      bound: 'cold-start',
      modelBatch: Math.min(batchSize, target),
      leaseTooShort: false,
    };
  }
  const leaseCap = leaseCapOf(inputs, budgetMs);
  const need = needOf(inputs);
  const caps: [HoldBound, number][] = [
    [isBatchCut(inputs) ? 'batch' : 'need', need],
    ['lease', leaseCap],
    ['bytes', bytesCap],
    ['max-held', maxHeld],
  ];
  const [bound, smallest] = caps.reduce((least, cap) => (cap[1] < least[1] ? cap : least));
  return {
    target: Math.max(1, smallest),
    bound,
    leaseCap,
    need,
    bytesCap,
    budgetMs,
    modelBatch: Math.max(1, Math.min(batchSize, leaseCap, Math.ceil(maxHeld / lanes))),
    leaseTooShort: inputs.callMeanMs / batchSize > budgetMs,
  };
}

/** Larger batches failed, so fewer tasks keep the model busy. */
function isBatchCut({ batchSize, wantedBatch }: SizingInputs): boolean {
  return wantedBatch !== undefined && batchSize < wantedBatch;
}

/** Largest n with `n·m + 2.33·s·√n + d ≤ B`, reduced after late tasks; at least 1. */
function leaseCapOf(inputs: SizingInputs, budgetMs: number): number {
  const m = Math.max(MIN_TASK_MS, inputs.taskMeanMs);
  const s = inputs.taskSdMs;
  const roomMs = budgetMs - inputs.downloadP95Ms;
  let cap = 1;
  if (roomMs > 0) {
    const root = (-Z99 * s + Math.sqrt(Z99 * Z99 * s * s + 4 * m * roomMs)) / (2 * m);
    cap = Math.floor(root * root);
  }
  // Lanes that stand idle make nothing punctual: a task that starts at once and ends within the lease may have each of them.
  const callHighMs = inputs.callMeanMs + Z99 * inputs.callSdMs + inputs.downloadP95Ms + inputs.postP95Ms;
  if (inputs.batchSize === 1 && callHighMs + serverSaveMs(inputs.leaseMs) <= inputs.leaseMs)
    cap = Math.max(cap, inputs.lanes);
  return Math.max(1, Math.floor(cap * inputs.leaseScale));
}

/** Little's law: two rounds of the model, and what it gets done while a task is on its way in or out. */
function needOf(inputs: SizingInputs): number {
  const m = Math.max(MIN_TASK_MS, inputs.taskMeanMs);
  const awayMs = inputs.awayMs ?? 2 * inputs.reserveP95Ms + inputs.downloadP95Ms + inputs.postP95Ms;
  return Math.ceil(2 * inputs.batchSize * inputs.lanes + (awayMs * NEED_HEADROOM) / m);
}

/** From how many missing tasks on it is worth asking for more: half a round, so that reservations are not one by one. */
export function askThreshold(sizing: Sizing, roundSize: number): number {
  return Math.max(1, Math.floor(Math.min(roundSize, sizing.target) / 2));
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 0)} s`;

/** Says in words how many tasks are held and which bound is at work, with the numbers behind it. */
export function explainSizing(slug: string, sizing: Sizing, inputs: SizingInputs): string {
  const measured =
    inputs.calls === 0
      ? 'nothing measured yet'
      : `${seconds(inputs.taskMeanMs)} ± ${seconds(inputs.taskSdMs)} per task`;
  const cut = isBatchCut(inputs)
    ? ` Batches hold ${inputs.batchSize} of ${inputs.wantedBatch} images at most, because a larger one failed as a whole; one more is tried ` +
      `after 20 that go well.`
    : '';
  return `${slug}: holding up to ${sizing.target} tasks (${measured}). ${REASONS[sizing.bound](sizing, inputs)}${cut}`;
}

function needed({ need, leaseCap }: Sizing): string {
  return `${need} keep the model busy; the lease would allow ${leaseCap}.`;
}

const REASONS: Readonly<Record<HoldBound, (sizing: Sizing, inputs: SizingInputs) => string>> = {
  'cold-start': ({ target }, { calls }) =>
    `Starting cold: ${calls} of 3 calls measured, so only ${target} at a time until the model's speed is known.`,
  lease: ({ budgetMs, leaseCap, need, leaseTooShort }, { leaseMs, callMeanMs, leaseScale }) =>
    leaseTooShort
      ? `The lease is the limit and too short: one call takes ${seconds(callMeanMs)}, of a lease of ${seconds(leaseMs)} only ` +
        `${seconds(Math.max(0, budgetMs))} are usable, so tasks are often done twice. If the server's lease is longer, set leaseMs.`
      : `The lease is the limit: ${leaseCap} tasks fit the ${seconds(budgetMs)} usable of a lease of ${seconds(leaseMs)}, while ` +
        `${need} would keep the model busy${leaseScale < 1 ? `; reduced to ${Math.round(leaseScale * 100)} % after late tasks` : ''}. ` +
        `If the server's lease is longer, set leaseMs.`,
  need: needed,
  batch: needed,
  bytes: ({ bytesCap }, { imageP95Bytes, budgetBytes }) =>
    `Memory is the limit: ${bytesCap} images of ${Math.round(imageP95Bytes / 1024)} KiB fit the budget of ` +
    `${Math.round(budgetBytes / 1024 / 1024)} MiB (imageBudgetBytes).`,
  'max-held': (_sizing, { maxHeld }) => `The option maxHeld is the limit: ${maxHeld}.`,
};

const SMALLEST = 1 / 64;

/**
 * What late tasks teach: halve at once, recover step by step. Formulas go by the past; when a model has just become slower they are
 * wrong, and only what was late says so.
 */
export class LeaseFeedback {
  #scale = 1;
  #reducedAtMs = Number.NEGATIVE_INFINITY;

  /** In (0, 1]: factor on the number of tasks that the lease allows. */
  get scale(): number {
    return this.#scale;
  }

  /**
   * A task was posted past its deadline. Halves once per round: tasks reserved before the last reduction are its old mistake.
   * @param reservedAtMs - when the task was reserved.
   */
  late(reservedAtMs: number, nowMs: number): void {
    if (reservedAtMs < this.#reducedAtMs) return;
    this.#scale = Math.max(SMALLEST, this.#scale / 2);
    this.#reducedAtMs = nowMs;
  }

  /**
   * A round in which all were in time.
   * @param leaseBound - whether the lease set the number: growing a bound that does not bind teaches nothing.
   * @param step - tasks by which the number may grow, as a share of it.
   */
  punctual(leaseBound: boolean, step: number): void {
    if (leaseBound) this.#scale = Math.min(1, this.#scale + step);
  }
}
