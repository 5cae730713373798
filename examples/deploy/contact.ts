import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { REQUEST_CHANNELS } from 'antenna-sdk';

/** When the server last answered, on the monotonic clock: every poll counts, be it empty. */
export class Contact {
  lastAtMs: number | undefined;

  constructor() {
    subscribe(REQUEST_CHANNELS.end, this.#onEnd);
  }

  close(): void {
    unsubscribe(REQUEST_CHANNELS.end, this.#onEnd);
  }

  readonly #onEnd = (): void => {
    this.lastAtMs = performance.now();
  };
}
