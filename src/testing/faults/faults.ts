import type { Antenna } from '../antenna.js';

/** How long the real server takes to give up on its task queue (contract §4.12). */
const QUEUE_HANG_MS = 120_000;
/** How long it takes to give up on its broker (contract §4.13). */
const BROKER_DELAY_MS = 1_300;

/** What can go wrong, on purpose. */
export class Faults {
  readonly #antenna: () => Antenna;

  constructor(antenna: () => Antenna) {
    this.#antenna = antenna;
  }

  /** The task queue is gone: a tasks call hangs (default 120 s, as observed), then answers 503. */
  queueOutage(options: { readonly hangMs?: number } = {}): void {
    this.#antenna().outages.queueHangMs = options.hangMs ?? QUEUE_HANG_MS;
  }

  /** The broker is gone: results are answered 503 after a while (default 1.3 s, as observed) and not queued. */
  brokerOutage(options: { readonly delayMs?: number } = {}): void {
    this.#antenna().outages.brokerDelayMs = options.delayMs ?? BROKER_DELAY_MS;
  }
}
