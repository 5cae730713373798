import { AntennaError } from '../errors/base.js';

/**
 * States of a worker:
 * - `idle`: not running; `run()` may be called, again and again.
 * - `starting`: registering its pipelines.
 * - `running`: taking and processing tasks.
 * - `draining`: takes no more tasks, finishes and posts those in hand.
 * - `stopping`: out of time or told twice; handlers are aborted.
 */
export type WorkerState = 'idle' | 'starting' | 'running' | 'draining' | 'stopping';

const LEGAL: Readonly<Record<WorkerState, readonly WorkerState[]>> = {
  idle: ['starting'],
  starting: ['running', 'draining', 'stopping', 'idle'],
  running: ['draining', 'stopping', 'idle'],
  draining: ['stopping', 'idle'],
  stopping: ['idle'],
};

/** The worker's state with the one way to change it. Booleans beside it would sooner or later disagree with it. */
export class StateMachine {
  #state: WorkerState = 'idle';
  readonly #onChange: (from: WorkerState, to: WorkerState) => void;

  constructor(onChange: (from: WorkerState, to: WorkerState) => void) {
    this.#onChange = onChange;
  }

  get current(): WorkerState {
    return this.#state;
  }

  can(to: WorkerState): boolean {
    return LEGAL[this.#state].includes(to);
  }

  /** @throws AntennaError for a move that is not in the table. */
  to(next: WorkerState): void {
    const from = this.#state;
    if (!this.can(next)) {
      throw new AntennaError({
        code: 'worker_state',
        message: `A worker that is ${from} cannot become ${next}`,
      });
    }
    this.#state = next;
    this.#onChange(from, next);
  }
}
