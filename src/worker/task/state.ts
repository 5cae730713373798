import { AntennaError } from '../../errors/base.js';

/**
 * States of a worker:
 * - `idle`: has never run; `run()` may be called.
 * - `starting`: registering its pipelines, posting what an earlier process left in the spool, warming its models.
 * - `running`: taking and processing tasks.
 * - `paused`: takes no tasks, goes on with those in hand; `resume()` leads back.
 * - `draining`: takes no more tasks, processes those in hand.
 * - `flushing`: processes no more, posts what is computed.
 * - `stopping`: out of time or told twice; handlers and requests are aborted.
 * - `stopped`: ended with a report; `run()` may be called again, any number of times.
 * - `failed`: ended with an error, such as a refused registration; `run()` may be called again.
 */
export type WorkerState =
  'idle' | 'starting' | 'running' | 'paused' | 'draining' | 'flushing' | 'stopping' | 'stopped' | 'failed';

const LEGAL: Readonly<Record<WorkerState, readonly WorkerState[]>> = {
  idle: ['starting'],
  starting: ['running', 'draining', 'stopping', 'stopped', 'failed'],
  running: ['paused', 'draining', 'stopping', 'stopped', 'failed'],
  paused: ['running', 'draining', 'stopping', 'stopped', 'failed'],
  draining: ['flushing', 'stopping', 'stopped', 'failed'],
  flushing: ['stopping', 'stopped', 'failed'],
  stopping: ['stopped', 'failed'],
  stopped: ['starting'],
  failed: ['starting'],
};

/** True while a run is under way. */
export function isActive(state: WorkerState): boolean {
  return state !== 'idle' && state !== 'stopped' && state !== 'failed';
}

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
