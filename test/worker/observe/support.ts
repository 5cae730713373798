import type { HealthFacts } from '../../../src/worker/observe/health.js';
import type { EventSource } from '../../../src/worker/observe/record-events.js';
import type { WorkerGauges } from '../../../src/worker/observe/snapshot.js';

/** A worker that has nothing to do. */
export function gaugesOf(changes: Partial<WorkerGauges> = {}): WorkerGauges {
  return {
    state: 'running',
    held: { count: 0, bytes: 0 },
    hold: undefined,
    saving: {},
    estimates: {},
    outbox: { count: 0, bytes: 0, oldestAgeMs: undefined },
    spool: undefined,
    troubles: [],
    executors: {},
    ...changes,
  };
}

/** A worker that began at 0 and is asked at {@link NOW_MS}; it has been idle all the time. */
export function factsOf(changes: Partial<HealthFacts> = {}): HealthFacts {
  return {
    state: 'running',
    startedAtMs: 0,
    lastTurnAtMs: NOW_MS - 4_000,
    lastContactAtMs: NOW_MS - 20_000,
    oldestHeldAtMs: undefined,
    oldestOutboxAtMs: undefined,
    loopDelayMs: 3,
    outboxFull: false,
    spoolFailing: false,
    consecutiveCrashes: 0,
    troubles: [],
    ...changes,
  };
}

/** A day after the start. */
export const NOW_MS = 86_400_000;

/** Tells the events that a test wants told. */
export class Teller<Events> implements EventSource<Events> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();

  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set.add(listener));
    return () => {
      set.delete(listener);
    };
  }

  tell<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of this.#listeners.get(name) ?? [])
      (listener as (event: Events[Name]) => void)(event);
  }

  get listeners(): number {
    return [...this.#listeners.values()].reduce((sum, { size }) => sum + size, 0);
  }
}
