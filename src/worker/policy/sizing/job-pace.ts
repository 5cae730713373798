import { LostTasks, type LookSample } from './lost-tasks.js';
import {
  ASSUMED_PER_SECOND,
  assumedLimit,
  keepsUp,
  lookDueAtMs,
  paceTimes,
  savingLimit,
  savingRate,
  savingRoom,
  turnMs,
  turnSize,
} from './pace.js';
import { RepeatWindow } from './repeat-window.js';

/** Samples of progress that are kept: more than the window of the rate ever needs. */
const MAX_SAMPLES = 64;
/** How much a new measurement counts in the time that tasks are in hand. */
const HOLD_WEIGHT = 0.2;
/** Taken at first: enough for most jobs that are small, and too few to matter. */
const FIRST_TASKS = 16;
/** So many looks make the server's saving the limit, or no limit any more, in what is told: it changes to and fro at times. */
const LOOKS_HELD_BACK = 2;
/** Looks that may give nothing before the numbers count as missing. */
const MAX_BLIND_LOOKS = 2;

/** Where a job stands between the workers and the server's saving. */
export interface PaceFigures {
  /** Results saved a second, as measured; undefined before that. */
  readonly perSecond: number | undefined;
  /** Tasks between reservation and saving, over all workers, estimated. */
  readonly outstanding: number;
  /** How many of them there may be. */
  readonly limit: number;
}

/**
 * What is known of one job's saving, and what follows from it. It is told everything, measures nothing by itself, and looks at no
 * clock. All numbers are hints (contract T52): they may slow a worker and can never stop it.
 */
export class JobPace {
  readonly #leaseMs: () => number;
  readonly #assumed: number;
  readonly #window: RepeatWindow;
  #lost: LostTasks;
  #samples: LookSample[] = [];
  #total: number | undefined;
  /** Place in the stream of the last task there is. */
  #streamEnd = 0;
  #undelivered: number | undefined;
  #holdMs = 0;
  #trust = 0;
  #repeats = 0;
  #acceptedSinceLook = 0;
  #accepted = 0;
  #lastLookAtMs: number | undefined;
  #blindLooks = 0;
  #takenAtMs = Number.NEGATIVE_INFINITY;
  #lastTaken = 0;
  #startedAtMs = 0;
  /** Looks between which there was no room, since the server was last seen to keep up. */
  #heldBack = 0;
  /** There was no room since the last look. */
  #wanted = false;

  /** @param assumedPerSecond - of saving, until it is measured. */
  constructor(leaseMs: () => number, assumedPerSecond = ASSUMED_PER_SECOND) {
    this.#leaseMs = leaseMs;
    this.#assumed = assumedPerSecond;
    this.#window = new RepeatWindow(leaseMs);
    this.#lost = new LostTasks(leaseMs);
  }

  /** Tasks delivered so far, to whomever; undefined where reply subjects do not tell. Every one of them has its result in line before any that is accepted later. */
  get delivered(): number | undefined {
    if (this.#undelivered === undefined) return undefined;
    return Math.max(0, (this.#total ?? this.#streamEnd) - this.#undelivered);
  }

  /** Results saved at the last look, or at the beginning of a job whose first tasks we took. */
  get saved(): number | undefined {
    return this.#samples.at(-1)?.saved;
  }

  /** Tasks were taken. @param place - of the newest, from its reply subject. */
  taken(
    count: number,
    place: { readonly streamSequence: number; readonly undelivered: number } | undefined,
    batchSize: number,
    nowMs: number,
  ): void {
    this.#window.taken(count, batchSize, nowMs);
    this.#takenAtMs = nowMs;
    this.#lastTaken = count;
    this.#lost.taken(count);
    if (!place) return;
    const isFirst = this.#undelivered === undefined;
    this.#undelivered = place.undelivered;
    this.#streamEnd = Math.max(this.#streamEnd, place.streamSequence + place.undelivered);
    if (!isFirst) return;
    this.#startedAtMs = nowMs;
    // Whoever takes the very first tasks knows that nothing was saved before.
    if ((this.delivered ?? 0) <= count) this.#sample(nowMs, 0);
  }

  /**
   * A task came again that nobody here lost.
   * @param isOwn - its result was accepted from us: it waits to be saved, while that of another worker may have been lost there.
   * @param sequence - its place in the stream, if the reply subject tells.
   */
  repeat(batchSize: number, nowMs: number, isOwn: boolean, sequence: number | undefined): void {
    if (isOwn) this.#lost.ownCameAgain();
    else if (this.#lost.cameAgain(this.#placeOf(sequence), this.#savedBefore(nowMs), nowMs)) return;
    this.#window.repeat(batchSize, nowMs);
    this.#repeats += 1;
  }

  /** Results were accepted. @param holdMs - from the reservation of the tasks until now. */
  accepted(count: number, holdMs: number): void {
    this.#acceptedSinceLook += count;
    this.#accepted += count;
    const weight = this.#holdMs === 0 ? 1 : Math.min(1, HOLD_WEIGHT * count);
    this.#holdMs += weight * (holdMs - this.#holdMs);
  }

  /**
   * The job's progress; undefined if it showed no numbers or could not be had.
   * @param held - tasks of the job in this worker's hands.
   */
  looked(
    progress: { readonly total: number; readonly saved: number } | undefined,
    held: number,
    nowMs: number,
  ): void {
    this.#lastLookAtMs = nowMs;
    this.#acceptedSinceLook = 0;
    const wasHeldBack = this.#wanted;
    this.#wanted = false;
    if (!progress) {
      this.#blindLooks += 1;
      return;
    }
    this.#blindLooks = 0;
    this.#total = progress.total;
    const before = this.saved ?? progress.saved;
    // Fewer than before: the job was started over.
    if (progress.saved < before) this.#forget();
    this.#sample(nowMs, progress.saved);
    const perSecond = this.#perSecond();
    const figures = this.figures(nowMs);
    const out = Math.max(0, (this.delivered ?? 0) - progress.saved);
    const isHeldBack = figures !== undefined && figures.outstanding > figures.limit;
    const facts = {
      savedBefore: this.#savedBefore(nowMs) ?? 0,
      out: Math.max(0, out - held),
      isHeldBack,
      perSecond: perSecond ?? this.#assumed,
    };
    this.#lost.looked(this.#samples, facts, nowMs);
    const grown = progress.saved - before;
    const outstanding = Math.max(0, out - this.#lost.count);
    const look = { outstanding, holdMs: this.#holdMs, held, grown };
    const isTrusted = perSecond !== undefined && this.#repeats === 0 && keepsUp({ ...look, perSecond });
    this.#trust = isTrusted ? this.#trust + 1 : 0;
    this.#repeats = 0;
    this.#heldBack = isTrusted ? 0 : this.#heldBack + (wasHeldBack ? 1 : 0);
  }

  /** Whether saving has held us back at one look after the other; at a single one it may be what others have just taken. */
  get isHeldBack(): boolean {
    return this.#heldBack >= LOOKS_HELD_BACK;
  }

  /** Whether several looks in a row found the server keeping up: its saving is no limit. */
  get keepsUp(): boolean {
    return this.#trust >= LOOKS_HELD_BACK;
  }

  /** Whether no task has come again for two leases. */
  wasClean(nowMs: number): boolean {
    return this.#window.wasClean(nowMs);
  }

  /** How many tasks may be taken now. Where there is room for none, that is a reason to look. */
  room(batchSize: number, nowMs: number): number {
    const room = Math.max(this.#lost.credit, this.#room(batchSize, nowMs));
    this.#wanted ||= room === 0;
    const isFloorDue = nowMs - this.#takenAtMs >= paceTimes(this.#leaseMs()).floorEveryMs;
    if (!isFloorDue) return room;
    // Where tasks come again the numbers are right, and a batch of every worker would be what keeps the backlog up.
    return Math.max(this.#window.wasClean(nowMs) ? batchSize : 1, room);
  }

  /** Where the job stands; undefined while there are no numbers. */
  figures(nowMs: number): PaceFigures | undefined {
    const { delivered } = this;
    if (delivered === undefined || this.#blindLooks > MAX_BLIND_LOOKS) return undefined;
    const leaseMs = this.#leaseMs();
    const perSecond = this.#perSecond();
    const last = this.#samples.at(-1);
    const sinceMs = last && perSecond !== undefined ? Math.max(0, nowMs - last.atMs) : 0;
    const saved = (last?.saved ?? 0) + ((perSecond ?? 0) * sinceMs) / 1000;
    const limit =
      perSecond === undefined
        ? assumedLimit(this.#assumed, leaseMs)
        : savingLimit(perSecond, leaseMs, this.#holdMs);
    return { perSecond, outstanding: Math.max(0, delivered - saved - this.#lost.count), limit };
  }

  /** When to ask for the job's progress; undefined while there is no reason to. */
  lookDueAtMs(nowMs: number): number | undefined {
    const figures = this.figures(nowMs);
    if (!figures) {
      // Numbers that could not be had may be there later.
      const isBlind = this.delivered !== undefined && (this.#acceptedSinceLook > 0 || this.#wanted);
      return isBlind ? (this.#lastLookAtMs ?? nowMs) + this.#leaseMs() : undefined;
    }
    return lookDueAtMs({
      leaseMs: this.#leaseMs(),
      undelivered: this.#undelivered ?? 0,
      outstanding: figures.outstanding,
      limit: figures.limit,
      repeats: this.#repeats > 0,
      news: this.#acceptedSinceLook > 0 || this.#wanted,
      startedAtMs: this.#startedAtMs,
      lastLookAtMs: this.#lastLookAtMs,
      isMeasured: figures.perSecond !== undefined,
      trust: this.#trust,
    });
  }

  /** A rate to assume for the next job of the same server; undefined before a measurement. */
  get assumable(): number | undefined {
    const perSecond = this.#perSecond();
    if (perSecond === undefined || this.#lastLookAtMs === undefined) return undefined;
    // A server that keeps up was not measured, its workers were.
    return this.#trust > 0 ? Math.max(ASSUMED_PER_SECOND, perSecond) : perSecond;
  }

  /**
   * Whether the server's backlog explains that a task comes again whose result was accepted: not all are saved yet that stood before it.
   * @param delivered - {@link delivered} at the time of the acceptance.
   */
  explains(delivered: number | undefined, nowMs: number): boolean {
    const figures = this.figures(nowMs);
    if (!figures || delivered === undefined || this.#lastLookAtMs === undefined) return false;
    // What was seen lately counts: an estimate would go on while saving stands still.
    const isFresh = nowMs - this.#lastLookAtMs <= this.#leaseMs();
    const saved = isFresh
      ? (this.saved ?? 0)
      : (this.delivered ?? 0) - this.#lost.count - figures.outstanding;
    return saved < delivered;
  }

  #room(batchSize: number, nowMs: number): number {
    // The first answer shows where the job stands; until then nobody knows how many others have taken.
    if (this.#takenAtMs === Number.NEGATIVE_INFINITY) return Math.max(batchSize, FIRST_TASKS);
    const figures = this.figures(nowMs);
    if (!figures) return this.#window.room(batchSize, nowMs);
    const { perSecond, limit, outstanding } = figures;
    // Few as they are, what is assumed may be taken at once: small jobs are most jobs.
    if (perSecond === undefined) return Math.max(0, Math.floor(limit - outstanding));
    const room = savingRoom(limit, outstanding);
    if (this.#trust > 0) return room;
    if (nowMs - this.#takenAtMs < turnMs(this.#lastTaken, perSecond)) return 0;
    return Math.min(room, turnSize(perSecond, this.#leaseMs(), batchSize));
  }

  #perSecond(): number | undefined {
    // The start of a job is no look: before the first one nothing is measured.
    if (this.#lastLookAtMs === undefined) return undefined;
    return savingRate(this.#samples, this.#leaseMs(), this.#assumed, this.#trust > 0);
  }

  #sample(atMs: number, saved: number): void {
    this.#samples.push({ atMs, saved, accepted: this.#accepted });
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
  }

  #forget(): void {
    this.#samples = [];
    this.#lost = new LostTasks(this.#leaseMs);
  }

  /** Results saved for certain before those of tasks that came later, as far as somebody looked: workers give theirs in an order of their own. */
  #savedBefore(nowMs: number): number | undefined {
    if (this.#lastLookAtMs === undefined) return undefined;
    return (this.saved ?? 0) - (this.figures(nowMs)?.limit ?? 0) / 2;
  }

  /** How many tasks were delivered up to one of the stream, which may have held an earlier run of the job. */
  #placeOf(sequence: number | undefined): number | undefined {
    if (sequence === undefined) return undefined;
    return sequence - (this.#streamEnd - (this.#total ?? this.#streamEnd));
  }
}
