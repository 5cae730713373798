import { sleep, type Clock } from '../time/clock.js';

/**
 * Longest closure that a `Retry-After` can bring about. A broken proxy once sent a date years ahead; after five minutes one more
 * request finds out.
 */
export const MAX_GATE_MS = 300_000;

/** Paths that must be refused, with nothing answered between, before all of the origin counts as refusing. */
const EVERYTHING = 2;
/** Closures of single paths that are remembered; the oldest is forgotten first. */
const MAX_PATHS = 256;

/**
 * The origin's gate. One 429 or 503 closes it for all concurrent calls of the client: twenty calls that each learn for themselves
 * that the server wants to be left alone are nineteen too many.
 *
 * But only where the server spoke for all of itself: it sent a `Retry-After`, or refuses everything. Else the refusal is its path's
 * alone: a job whose queue is away answers 503 for minutes, and used to keep every other job of the worker waiting with it.
 */
export class OriginGate {
  readonly #clock: Clock;
  readonly #paths = new Map<string, number>();
  readonly #refusing = new Set<string>();
  #openAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds until it opens; 0 when open. @param path - also counts a closure of that path alone. */
  closedForMs(path?: string): number {
    const openAt = path === undefined ? undefined : this.#paths.get(path);
    return Math.max(0, Math.max(this.#openAt, openAt ?? Number.NEGATIVE_INFINITY) - this.#clock.now());
  }

  /** Closes it for all calls, for this long from now; never shortens an earlier closure. */
  close(forMs: number): void {
    this.#openAt = Math.max(this.#openAt, this.#openAfter(forMs));
  }

  /** A path was refused without a word on for how long: closes that path, and the whole when nothing else is answered either. */
  refused(path: string, forMs: number): void {
    this.#refusing.add(path);
    if (this.#refusing.size >= EVERYTHING) {
      this.close(forMs);
      return;
    }
    const openAt = Math.max(this.#paths.get(path) ?? 0, this.#openAfter(forMs));
    this.#paths.delete(path);
    this.#paths.set(path, openAt);
    const [oldest] = this.#paths.keys();
    if (this.#paths.size > MAX_PATHS && oldest !== undefined) this.#paths.delete(oldest);
  }

  /** Something was answered: the origin as a whole does not refuse. */
  answered(): void {
    if (this.#refusing.size > 0) this.#refusing.clear();
  }

  /**
   * Waits until it is open. It may be closed again while waiting, for longer than before.
   * @param beforeWait - told each wait before it begins; throws to give up.
   */
  async pass(
    signal?: AbortSignal,
    beforeWait: (waitMs: number) => void = () => undefined,
    path?: string,
  ): Promise<void> {
    for (let waitMs = this.closedForMs(path); waitMs > 0; waitMs = this.closedForMs(path)) {
      beforeWait(waitMs);
      await sleep(this.#clock, waitMs, signal);
    }
  }

  #openAfter(forMs: number): number {
    return this.#clock.now() + Math.min(forMs, MAX_GATE_MS);
  }
}
