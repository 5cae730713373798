import { deferred } from '../worker/executors/joined-signal.js';
import { HandlerCrashError } from '../worker/executors/execution-errors.js';
import type { OnnxEngine } from './engine.js';

/** Starts an engine; gives up, and ends its threads, when the signal aborts. */
export type StartEngine = (signal: AbortSignal) => Promise<OnnxEngine>;

/** An engine that runs or starts. */
interface Kept {
  readonly engine: Promise<OnnxEngine>;
  readonly giveUp: AbortController;
}

/** One engine at a time: calls share it, and the call after its death or failed start finds a new one. */
export class EngineKeeper {
  #kept: Kept | undefined;

  /**
   * The engine, started if there is none.
   * @throws what its start throws, or the signal's reason; the start goes on for the others then.
   */
  async get(start: StartEngine, signal: AbortSignal): Promise<OnnxEngine> {
    signal.throwIfAborted();
    const kept = this.#kept;
    const engine = await unlessAborted((kept ?? this.#start(start)).engine, signal);
    if (!engine.death || !kept) return engine;
    this.#forget(kept);
    return await this.get(start, signal);
  }

  /** What is kept now, for a {@link replace} that comes later: by then others may have a new one, which is not to blame. */
  get current(): unknown {
    return this.#kept;
  }

  /** Ends an engine, also one that is still starting. The next call starts another. */
  async replace(current: unknown, graceMs = 0): Promise<void> {
    const kept = this.#kept;
    if (!kept || kept !== current) return;
    this.#forget(kept);
    await end(kept, graceMs);
  }

  async close(graceMs?: number): Promise<void> {
    const kept = this.#kept;
    if (!kept) return;
    this.#forget(kept);
    await end(kept, graceMs);
  }

  #start(start: StartEngine): Kept {
    const giveUp = new AbortController();
    const kept = { engine: start(giveUp.signal), giveUp };
    this.#kept = kept;
    // The failure is told to everyone who waits for this start, and is no answer to those who come later.
    kept.engine.catch(() => {
      this.#forget(kept);
    });
    return kept;
  }

  #forget(kept: Kept): void {
    if (this.#kept === kept) this.#kept = undefined;
  }
}

async function end({ engine, giveUp }: Kept, graceMs?: number): Promise<void> {
  giveUp.abort(new HandlerCrashError('the models were given up while they were loaded', { fresh: false }));
  await engine.then((running) => running.close(graceMs)).catch(() => undefined);
}

/** The outcome of a promise, or the signal's reason if that comes first. */
async function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const aborted = deferred<never>();
  const onAbort = (): void => {
    aborted.reject(signal.reason as Error);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
