import { compare, figure, measure, median, type Bench } from './harness.js';

interface Measured {
  /** Microseconds of one call, by round. */
  fixedUs: number[];
  expiringUs: number[];
  mapUs: number[];
}

/** An answer that is kept, against the least that any cache does: a key that is put together and found in a Map. */
export const cache: Bench = {
  name: 'cache',
  title: 'Cached operation, hit',
  run() {
    const { fixedUs, expiringUs, mapUs } = measure('cache-hit.mjs') as Measured;
    return [
      figure('fixed credential', median(fixedUs), 'µs', 10),
      figure('token of a provider that holds for an hour', median(expiringUs), 'µs', 10),
      compare({ what: 'against an async Map lookup', ours: fixedUs, raw: mapUs, unit: 'µs' }),
    ];
  },
};
