import { nextLane, type LaneClaim, type LaneState } from '../policy/shares/lanes.js';
import type { RunContext } from '../run/context.js';
import type { WorkItem } from '../task/work-item.js';

/** What dealing out lanes needs of a run. */
export type LanesPort = Pick<RunContext, 'options' | 'estimator' | 'troubles'>;

/** A call that takes longer than this, and than four times what calls of its pipeline take, hangs. */
const HANGING_MS = 10_000;
const HANGING_TIMES = 4;
/** The same while none has ended yet: models take their time for the first image. */
const FIRST_HANGING_MS = 30_000;

/** A handler call under way. */
export interface Call {
  readonly jobId: number;
  readonly startedAtMs: number;
}

/** The calls of one pipeline. */
interface Lane {
  readonly running: Set<Call>;
  ended: number;
}

/** Which pipeline's images take the next lane, and which calls do not end. */
export class ProcessLanes {
  readonly #context: LanesPort;
  readonly #pipelines = new Map<string, Lane>();
  #inUse = 0;
  #current: { readonly slug: string; readonly sinceMs: number } | undefined;

  constructor(context: LanesPort) {
    this.#context = context;
  }

  get isFull(): boolean {
    return this.#inUse >= this.#context.options.concurrency;
  }

  /** @param passed - pipelines whose images are not to start now. */
  next(ready: readonly WorkItem[], passed: ReadonlySet<string>, nowMs: number): string | undefined {
    const { options } = this.#context;
    if (options.pipelines.size === 1) return ready[0]?.pipeline.slug;
    const first = new Map<string, WorkItem>();
    for (const item of ready) {
      const { slug } = item.pipeline;
      if (!first.has(slug) && !passed.has(slug)) first.set(slug, item);
    }
    const claims = [...first].map(([slug, item]) => this.#claim(slug, item, nowMs));
    const state = {
      lanes: options.concurrency,
      inUse: this.#inUse,
      pipelines: options.pipelines.size,
      ...this.#standing(nowMs),
      current: this.#current,
    };
    return nextLane(claims, state, nowMs);
  }

  begin(slug: string, call: Call): void {
    const lane = this.#of(slug);
    lane.running.add(call);
    this.#inUse += 1;
    if (this.#current?.slug !== slug) this.#current = { slug, sinceMs: call.startedAtMs };
  }

  end(slug: string, call: Call): void {
    const lane = this.#of(slug);
    if (!lane.running.delete(call)) return;
    lane.ended += 1;
    this.#inUse -= 1;
  }

  /** Tells the register of calls that do not end. */
  watch(nowMs: number): void {
    for (const [slug, lane] of this.#pipelines) {
      const hanging = this.#hanging(slug, lane, nowMs);
      if (!hanging) continue;
      const facts = { sinceMs: hanging.startedAtMs, jobId: hanging.jobId };
      this.#context.troubles.hangs('handler', slug, nowMs, facts);
    }
  }

  #standing(nowMs: number): Pick<LaneState, 'unproven' | 'someProven'> {
    let unproven = 0;
    let someProven = false;
    for (const [slug, lane] of this.#pipelines)
      if (this.#isUnproven(slug, lane, nowMs)) unproven += lane.running.size;
      else someProven = true;
    return { unproven, someProven };
  }

  #isUnproven(slug: string, lane: Lane, nowMs: number): boolean {
    return lane.ended === 0 || this.#hanging(slug, lane, nowMs) !== undefined;
  }

  #claim(slug: string, { readyAtMs }: WorkItem, nowMs: number): LaneClaim {
    const lane = this.#of(slug);
    return {
      slug,
      running: lane.running.size,
      unproven: this.#isUnproven(slug, lane, nowMs),
      readyAtMs: readyAtMs ?? nowMs,
      callMs: this.#context.estimator.callHighMs(slug, nowMs),
    };
  }

  #hanging(slug: string, { running, ended }: Lane, nowMs: number): Call | undefined {
    const [oldest] = running;
    if (!oldest) return undefined;
    const usualMs = HANGING_TIMES * this.#context.estimator.callHighMs(slug, nowMs);
    const limitMs = ended === 0 ? FIRST_HANGING_MS : Math.max(HANGING_MS, usualMs);
    return nowMs - oldest.startedAtMs > limitMs ? oldest : undefined;
  }

  #of(slug: string): Lane {
    let lane = this.#pipelines.get(slug);
    if (!lane) this.#pipelines.set(slug, (lane = { running: new Set(), ended: 0 }));
    return lane;
  }
}
