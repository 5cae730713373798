import type { Logger } from '../log/logger.js';
import type { RegistrationReport } from '../registration/report.js';
import type { WorkerState } from './state.js';

/** Every event of a worker with its payload: the single source for `on`, `emit` and the documentation. */
export interface WorkerEvents {
  /** The worker entered another state. */
  state: { readonly from: WorkerState; readonly to: WorkerState };
  /** The pipelines were registered for a project; look at `report.ok`. */
  registered: { readonly projectId: number; readonly report: RegistrationReport };
  /** Tasks were taken. */
  reserved: { readonly jobId: number; readonly count: number };
  /** A task has an outcome; it is not posted yet. */
  task: {
    readonly jobId: number;
    readonly imageId: string;
    readonly outcome: 'success' | 'error' | 'lapsed';
    readonly detections: number;
    readonly durationMs: number;
    readonly error?: string;
  };
  /** The server accepted results. */
  posted: { readonly jobId: number; readonly count: number; readonly imageIds: readonly string[] };
  /** Something went wrong that the worker goes on after. */
  error: { readonly error: unknown; readonly doing: string; readonly jobId?: number };
}

type Listener<Name extends keyof WorkerEvents> = (event: WorkerEvents[Name]) => void;

/** Hands events to listeners one by one; a listener that throws is logged and stops nothing. */
export class WorkerEventBus {
  readonly #listeners = new Map<keyof WorkerEvents, Set<Listener<never>>>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @returns a function that takes the listener away. */
  on<Name extends keyof WorkerEvents>(name: Name, listener: Listener<Name>): () => void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set.add(listener));
    return () => {
      set.delete(listener);
    };
  }

  emit<Name extends keyof WorkerEvents>(name: Name, event: WorkerEvents[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        (listener as Listener<Name>)(event);
      } catch (error) {
        this.#logger.error({ reason: name, error }, 'a listener threw; the worker goes on');
      }
    }
  }
}
