import { assertOptions } from '../check.js';
import type { Antenna } from '../antenna.js';
import type { Clock } from '../time/clock.js';
import type { FaultChain, FaultHandle } from './chain.js';
import { HttpFaults } from './http-faults.js';
import type { Scope } from './scope.js';

/** How long the real server takes to give up on its task queue (contract §4.12). */
const QUEUE_HANG_MS = 120_000;
/** How long it takes to give up on its broker (contract §4.13). */
const BROKER_DELAY_MS = 1_300;

/** Which results fail to save, and why. */
export interface SaveFailureOptions {
  /** Default `injected by the test`. */
  readonly reason?: string;
  /** Only results for these images. Default: all. */
  readonly imageIds?: readonly (string | number)[];
  /** Fail this many results, then stop. Default: no end. */
  readonly times?: number;
}

/** What can go wrong, on purpose: HTTP faults, and those of the server's own back end. */
export class Faults extends HttpFaults {
  readonly #chain: FaultChain;
  readonly #antenna: () => Antenna;

  constructor(chain: FaultChain, clock: Clock, antenna: () => Antenna) {
    super(chain, clock);
    this.#chain = chain;
    this.#antenna = antenna;
  }

  /** The task queue is gone: a tasks call hangs (default 120 s, as observed), then answers 503 (T4). */
  queueOutage(options: { readonly hangMs?: number } = {}): FaultHandle {
    assertOptions('queueOutage', options, { hangMs: ['number'] });
    const { outages } = this.#antenna();
    outages.queueHangMs = options.hangMs ?? QUEUE_HANG_MS;
    return stateFault(() => {
      outages.queueHangMs = null;
    });
  }

  /** The broker is gone: results are answered 503 after a while (default 1.3 s, as observed) and not queued. */
  brokerOutage(options: { readonly delayMs?: number } = {}): FaultHandle {
    assertOptions('brokerOutage', options, { delayMs: ['number'] });
    const { outages } = this.#antenna();
    outages.brokerDelayMs = options.delayMs ?? BROKER_DELAY_MS;
    return stateFault(() => {
      outages.brokerDelayMs = null;
    });
  }

  /** Results are accepted with 200 and fail to save afterwards: not counted, not acknowledged, delivered again (T32). */
  saveFailure(options: SaveFailureOptions = {}): FaultHandle {
    assertOptions('saveFailure', options, { reason: ['string'], imageIds: ['array'], times: ['number'] });
    const { outages } = this.#antenna();
    const wanted = options.imageIds?.map(String);
    let hits = 0;
    outages.failSaving = (imageIds) => {
      if (hits >= (options.times ?? Infinity)) return undefined;
      if (wanted && !imageIds.some((id) => wanted.includes(id))) return undefined;
      hits++;
      return options.reason ?? 'injected by the test';
    };
    return stateFault(
      () => {
        outages.failSaving = null;
      },
      () => hits,
    );
  }

  /** Every tasks call it hits finds the timeout of all tasks in flight passed, so they are delivered again. */
  redeliveryStorm(scope: Scope = {}): FaultHandle {
    return this.#chain.add({ route: 'tasks', ...scope }, async (_, next) => {
      for (const job of this.#antenna().store.jobs.all()) job.queue?.expireNow();
      return next();
    });
  }

  /** The answer of a tasks call is lost after the tasks were reserved: nobody holds them until their timeout (T5). */
  loseReservedTasks(scope: Scope = {}): FaultHandle {
    return this.resetAfter({ route: 'tasks', ...scope });
  }

  override clear(): void {
    super.clear();
    Object.assign(this.#antenna().outages, { queueHangMs: null, brokerDelayMs: null, failSaving: null });
  }
}

function stateFault(remove: () => void, hits: () => number = () => 0): FaultHandle {
  return {
    get hits() {
      return hits();
    },
    remove,
  };
}
