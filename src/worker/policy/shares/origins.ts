import { LRUCache } from 'lru-cache';
import { AdaptiveSlots } from '../learned-limits.js';
import type { Troubles } from './troubles.js';

/** Image hosts that are remembered beside those in use. */
const MAX_ORIGINS = 64;
/** A download that takes longer than this, and longer than four times what downloads of its host take, hangs. */
const HANGING_MS = 2_000;
const HANGING_TIMES = 4;

/** A download under way. */
export interface Running {
  readonly jobId: number;
  readonly startedAtMs: number;
  /** Gives its slot back: its task waits for another turn. */
  readonly preempt: () => void;
}

const NONE: readonly Running[] = [];

/** How long downloads of a host take, all but a few; 0 while nothing is known. */
export type UsualMs = (origin: string, nowMs: number) => number;

/** One host of images: how many downloads it bears, and those under way. */
class Origin {
  /** In the order of their starts. */
  readonly running = new Set<Running>();
  readonly slots: AdaptiveSlots;
  /** When it last delivered an image. */
  deliveredAtMs = Number.NEGATIVE_INFINITY;

  constructor(max: number) {
    this.slots = new AdaptiveSlots(max);
  }
}

/** Scheme and host of most URLs. */
const PLAIN = /^https?:\/\/([a-z\d.-]+(?::\d+)?)(?:[/?#]|$)/;

/** The host that an image URL names; empty when it is none. The task's own error tells about that. */
export function originOf(imageUrl: string): string {
  const plain = PLAIN.exec(imageUrl)?.[1];
  if (plain !== undefined) return plain;
  return URL.canParse(imageUrl) ? new URL(imageUrl).host : '';
}

/**
 * Shares the downloads' slots between image hosts. Each has its own adaptive number, so that one that is overloaded slows down itself
 * alone; one that hangs gives its slots back to those that wait.
 */
export class Origins {
  readonly #max: number;
  readonly #troubles: Troubles;
  readonly #usualMs: UsualMs;
  readonly #known: LRUCache<string, Origin>;
  /** Those with downloads under way. */
  readonly #busy = new Map<string, Origin>();
  #running = 0;

  constructor(max: number, troubles: Troubles, usualMs: UsualMs) {
    this.#usualMs = usualMs;
    this.#max = max;
    this.#troubles = troubles;
    this.#known = new LRUCache({ max: MAX_ORIGINS });
  }

  /** Downloads under way. */
  get running(): number {
    return this.#running;
  }

  runningOf(name: string): number {
    return this.#busy.get(name)?.running.size ?? 0;
  }

  /**
   * Whether a download of this host may begin now. Those that hang take none of the host's own number: they are not what it bears. A host
   * in trouble gets one more, now and then, to find out whether it is back; beside those that hang, since they may do so for one job alone.
   */
  mayStart(name: string, nowMs: number): boolean {
    if (this.#running >= this.#max) return false;
    const origin = this.#of(name);
    const alive = origin.running.size - this.#overdue(name, origin, nowMs).length;
    if (!this.isSuspect(name, nowMs)) return alive < origin.slots.limit;
    return alive === 0 && nowMs >= (this.#troubles.retryAtMs('download', name) ?? 0);
  }

  /** Whether this host fails, or does not answer. */
  isSuspect(name: string, nowMs: number): boolean {
    return this.#troubles.isSuspect('download', name) || this.#hanging(name, nowMs) !== undefined;
  }

  /** When the next try of a host in trouble may begin; undefined when nothing keeps it. */
  retryAtMs(name: string): number | undefined {
    return this.#troubles.isSuspect('download', name)
      ? this.#troubles.retryAtMs('download', name)
      : undefined;
  }

  /** A download that hangs while others wait for its slot; of the host that has most of them. */
  toPreempt(nowMs: number): Running | undefined {
    if (this.#running < this.#max) return undefined;
    let most: readonly Running[] = [];
    for (const [name, origin] of this.#busy) {
      const overdue = this.#overdue(name, origin, nowMs);
      if (overdue.length === 0) continue;
      const stuck = this.isSuspect(name, nowMs) ? [...origin.running] : overdue;
      if (stuck.length > Math.max(1, most.length)) most = stuck;
    }
    return most.at(-1);
  }

  started(name: string, running: Running): void {
    const origin = this.#of(name);
    origin.running.add(running);
    this.#busy.set(name, origin);
    this.#running += 1;
  }

  /** It ended, whatever came of it. */
  ended(name: string, running: Running): void {
    const origin = this.#busy.get(name);
    if (!origin?.running.delete(running)) return;
    this.#running -= 1;
    if (origin.running.size === 0) this.#busy.delete(name);
  }

  /** An image came, so its host is well. */
  succeeded(name: string, nowMs: number): void {
    const origin = this.#of(name);
    origin.deliveredAtMs = nowMs;
    origin.slots.succeeded(origin.running.size >= origin.slots.limit || this.#running >= this.#max);
    this.#troubles.worked('download', name, nowMs);
  }

  /** A failure that may pass. */
  failed(name: string, nowMs: number, facts: { detail: string; jobId: number; capMs: number }): void {
    this.#of(name).slots.struggled();
    this.#troubles.failed('download', name, nowMs, facts);
  }

  /** Tells the register of what does not end. To be called now and then. */
  watch(nowMs: number): void {
    for (const name of this.#busy.keys()) {
      const hanging = this.#hanging(name, nowMs);
      if (!hanging) continue;
      const { startedAtMs: sinceMs, jobId } = hanging;
      this.#troubles.hangs('download', name, nowMs, { sinceMs, jobId });
    }
  }

  /**
   * The download that has been under way for longest, if that is far longer than it should take and the host has delivered nothing
   * meanwhile: a single image that does not come says nothing about the others.
   */
  #hanging(name: string, nowMs: number): Running | undefined {
    const origin = this.#busy.get(name);
    if (!origin) return undefined;
    const [oldest] = this.#overdue(name, origin, nowMs);
    return oldest && nowMs - origin.deliveredAtMs > this.#limitMs(name, nowMs) ? oldest : undefined;
  }

  /** Downloads that have been under way for far longer than they should, the oldest first. */
  #overdue(name: string, { running }: Origin, nowMs: number): readonly Running[] {
    const [oldest] = running;
    // Asked with every task that moves, and nearly none hangs.
    if (!oldest || nowMs - oldest.startedAtMs <= HANGING_MS) return NONE;
    const startedBefore = nowMs - this.#limitMs(name, nowMs);
    return [...running].filter(({ startedAtMs }) => startedAtMs < startedBefore);
  }

  #limitMs(name: string, nowMs: number): number {
    return Math.max(HANGING_MS, HANGING_TIMES * this.#usualMs(name, nowMs));
  }

  #of(name: string): Origin {
    const busy = this.#busy.get(name) ?? this.#known.get(name);
    if (busy) return busy;
    const origin = new Origin(this.#max);
    this.#known.set(name, origin);
    return origin;
  }
}
