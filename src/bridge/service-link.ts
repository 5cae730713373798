import type { PipelineConfig } from '../contract/registration.js';
import type { Logger } from '../log/logger.js';
import { sleep, type Clock } from '../time/clock.js';
import { HandlerUnavailableError } from '../worker/executors/execution-errors.js';
import { sharedController } from '../worker/executors/joined-signal.js';
import { NoAnswerError, type PushConnection } from './connection.js';
import { BRIDGE_DEFAULTS } from './defaults.js';
import type { ServiceInfo } from './info.js';
import { LoopbackImages } from './loopback.js';
import type { ServiceChild } from './service-child.js';

/** What a link is made of. */
export interface LinkParts {
  readonly connection: PushConnection;
  readonly child: ServiceChild | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly pollIntervalMs?: number | undefined;
}

/**
 * - `closed`: nobody needs it; a command is not running.
 * - `away`: it is waited for.
 * - `ready`: it takes calls.
 */
type LinkState = 'closed' | 'away' | 'ready';

/** Looks at a service whose pipelines were stopped, in poll intervals: it may have been replaced by one that fits. */
const LOOK_AGAIN_POLLS = 30;

/** One service over its restarts: whether it is there, what it offers now, and which of its pipelines were stopped. */
export class ServiceLink {
  readonly connection: PushConnection;
  readonly images = new LoopbackImages();
  readonly #parts: LinkParts;
  readonly #listeners = new Set<() => Promise<void>>();
  readonly #waiting = new Set<() => void>();
  readonly #stopped = new Map<string, string>();
  #state: LinkState = 'closed';
  #reason = 'not started';
  #pipelines: ReadonlyMap<string, PipelineConfig> = new Map();
  #life = sharedController();
  #users = 0;
  #restarts = 0;
  #calls = 0;
  #looking = false;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.connection = parts.connection;
  }

  /** Times that it went away. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Calls that went well since it was last away. */
  get calls(): number {
    return this.#calls;
  }

  get pid(): number | undefined {
    return this.#parts.child?.pid;
  }

  /** Why no task of a pipeline should be taken now. */
  unavailable(slug: string): string | undefined {
    const stopped = this.#stopped.get(slug);
    if (stopped !== undefined) return stopped;
    return this.#state === 'ready' ? undefined : this.#reason;
  }

  /** A pipeline as the service describes it now, or last did. */
  configOf(slug: string): PipelineConfig | undefined {
    return this.#pipelines.get(slug);
  }

  /** Hears, and is waited for, when a pipeline's description has changed. */
  onChange(listener: () => Promise<void>): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** The first look. */
  opened(info: ServiceInfo): void {
    this.#pipelines = info.pipelines;
    this.#parts.child?.ready();
    this.#state = 'ready';
  }

  /** Somebody is going to call: a service that was closed is opened again. */
  acquire(): void {
    this.#users += 1;
    if (this.#state === 'closed') this.#leave('it is being started', false);
  }

  /** With the last who calls, everything ends: the command too. */
  async release(): Promise<void> {
    this.#users = Math.max(0, this.#users - 1);
    if (this.#users === 0) await this.close();
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    this.#reason = 'it was closed';
    this.#life.abort(new HandlerUnavailableError('the bridge to the push service is closed'));
    this.#life = sharedController();
    this.images.close();
    await this.#parts.child?.end();
    await this.connection.endIdle();
  }

  /**
   * Waits for the service.
   * @throws HandlerUnavailableError when it is not back in time, or the pipeline was stopped; the signal's reason when it aborts.
   */
  async ready(slug: string, limitMs: number, signal: AbortSignal): Promise<void> {
    const until = this.#parts.clock.now() + limitMs;
    for (;;) {
      const stopped = this.#stopped.get(slug);
      if (stopped !== undefined) throw new HandlerUnavailableError(stopped);
      if (this.#state === 'ready') return;
      const leftMs = until - this.#parts.clock.now();
      if (leftMs <= 0 || this.#state === 'closed')
        throw new HandlerUnavailableError(`the push service is away: ${this.#reason}`);
      await this.#change(leftMs, signal);
    }
  }

  /**
   * A call brought no answer.
   * @param stuck - it took too long: whatever it does, it may still be doing it.
   */
  lost(reason: string, stuck: boolean): void {
    if (this.#state === 'ready') this.#leave(reason, stuck);
  }

  /** A call went well. */
  proved(): void {
    this.#calls += 1;
    this.#parts.child?.proved();
  }

  /** The service does not take what it is sent: the pipeline makes no more calls. */
  stop(slug: string, reason: string): void {
    this.#stopped.set(slug, reason);
    this.#parts.logger.error({ pipeline: slug, reason }, 'a pipeline of a push service is stopped');
    this.#notify();
    void this.#lookAgain();
  }

  /**
   * Reads `/info` again; the caller sees to it that no call is out.
   * @returns whether something has changed.
   */
  async refresh(signal: AbortSignal): Promise<boolean> {
    return this.#adopt(await this.connection.info(signal));
  }

  #leave(reason: string, stuck: boolean): void {
    this.#state = 'away';
    this.#reason = reason;
    this.#restarts += 1;
    this.#calls = 0;
    // A process of ours that hangs is not waited for.
    if (stuck) this.#parts.child?.kill();
    void this.#recover(stuck, this.#life.signal);
  }

  /** Waits for the service as long as somebody needs it. Never rejects. */
  async #recover(stuck: boolean, signal: AbortSignal): Promise<void> {
    const { logger, clock, child, pollIntervalMs = BRIDGE_DEFAULTS.pollIntervalMs } = this.#parts;
    while (!signal.aborted) {
      try {
        const info = await this.connection.open(signal, { stuck });
        await this.#adopt(info);
        signal.throwIfAborted();
        child?.ready();
        // Whatever was wrong with it may have been put right.
        this.#stopped.clear();
        for (const slug of this.#pipelines.keys())
          if (!info.pipelines.has(slug)) this.#stopped.set(slug, goneFrom(this.connection.place));
        this.#state = 'ready';
        logger.info({ reason: this.connection.place }, 'a push service is ready');
        this.#notify();
        return;
      } catch (error) {
        if (isOver(signal)) return;
        this.#reason = error instanceof Error ? error.message : String(error);
        logger.error({ reason: this.#reason }, 'a push service cannot be used; it is tried again');
        await sleep(clock, LOOK_AGAIN_POLLS * pollIntervalMs, signal).catch(() => undefined);
      }
    }
  }

  /** Takes over what a service offers now, and has it registered before anybody goes on. */
  async #adopt(info: ServiceInfo): Promise<boolean> {
    const before = this.#pipelines;
    const now = new Map([...before].map(([slug, config]) => [slug, info.pipelines.get(slug) ?? config]));
    const changed = [...now].filter(([slug, config]) => !sameConfig(config, before.get(slug)));
    const added = [...info.pipelines.keys()].filter((slug) => !before.has(slug));
    if (added.length > 0)
      this.#parts.logger.warn(
        { pipelines: added },
        'a push service offers pipelines that it did not; start the worker again to serve them',
      );
    if (changed.length === 0) return false;
    this.#parts.logger.warn(
      { pipelines: changed.map(([slug]) => slug) },
      'a push service describes its pipelines in a new way; they are registered again',
    );
    this.#pipelines = now;
    try {
      for (const listener of this.#listeners) await listener();
    } catch (error) {
      // Not registered, it must look changed the next time as well.
      this.#pipelines = before;
      throw error;
    }
    return true;
  }

  /** While pipelines are stopped nobody calls, so a service that was replaced would never be noticed. */
  async #lookAgain(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const { signal } = this.#life;
    const { clock, pollIntervalMs = BRIDGE_DEFAULTS.pollIntervalMs } = this.#parts;
    while (!signal.aborted && this.#stopped.size > 0) {
      await sleep(clock, LOOK_AGAIN_POLLS * pollIntervalMs, signal).catch(() => undefined);
      if (isOver(signal) || this.#state !== 'ready') continue;
      await this.connection.exclusive(async () => {
        try {
          if (await this.refresh(signal)) this.#stopped.clear();
        } catch (error) {
          if (!isOver(signal) && error instanceof NoAnswerError) this.lost(error.message, error.timedOut);
        }
      });
    }
    this.#looking = false;
  }

  #notify(): void {
    for (const wake of this.#waiting) wake();
  }

  async #change(limitMs: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const wake = (): void => {
      woken.abort();
    };
    this.#waiting.add(wake);
    signal.addEventListener('abort', wake, { once: true });
    this.#life.signal.addEventListener('abort', wake, { once: true });
    try {
      if (!signal.aborted) await sleep(this.#parts.clock, limitMs, woken.signal).catch(() => undefined);
    } finally {
      this.#waiting.delete(wake);
      signal.removeEventListener('abort', wake);
      this.#life.signal.removeEventListener('abort', wake);
    }
    signal.throwIfAborted();
  }
}

/** The compiler takes a signal for unchanged after an `await`. */
const isOver = (signal: AbortSignal): boolean => signal.aborted;

function sameConfig(a: PipelineConfig, b: PipelineConfig | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

const goneFrom = (place: string): string => `the service at ${place} no longer offers this pipeline`;
