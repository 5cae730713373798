/** How often the event loop is looked at. */
const PERIOD_MS = 100;
/** From here on the log warns. */
const WARN_MS = 200;
/** From here on heartbeats and posts suffer. */
const STALL_MS = 1_000;

/** Notices when the event loop stands still, on the real clock whatever the run's: it is the machine that stalls. */
export class LoopMonitor {
  readonly #onStall: (durationMs: number, severe: boolean) => void;
  #timer: NodeJS.Timeout | undefined;
  #maxMs = 0;

  constructor(onStall: (durationMs: number, severe: boolean) => void) {
    this.#onStall = onStall;
  }

  /** Longest stall so far. */
  get maxMs(): number {
    return this.#maxMs;
  }

  start(): void {
    let expectedAt = performance.now() + PERIOD_MS;
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      const lateMs = nowMs - expectedAt;
      expectedAt = nowMs + PERIOD_MS;
      this.#maxMs = Math.max(this.#maxMs, lateMs);
      if (lateMs >= WARN_MS) this.#onStall(lateMs, lateMs >= STALL_MS);
    }, PERIOD_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
