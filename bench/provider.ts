import { withServer, type Measured } from './get.js';
import { compare, measure, rounds, type Bench, type Row } from './harness.js';

const ROUNDS = 7;
const REQUESTS = 3000;
const CONCURRENCY = 16;

function rows(url: string): Row[] {
  const client = (way: string) => () =>
    measure('get-client.mjs', way, url, String(REQUESTS), String(CONCURRENCY)) as Measured;
  const measured = rounds(ROUNDS, {
    fixed: client('static'),
    expiring: client('expiring'),
    perRequest: client('per-request'),
  });
  const raw = measured.fixed.map(({ cpuUs }) => cpuUs);
  const row = (what: string, ours: readonly Measured[]): Row =>
    compare({ what, ours: ours.map(({ cpuUs }) => cpuUs), raw, unit: 'µs' });
  return [
    row('CPU a request, token that holds for an hour', measured.expiring),
    row('CPU a request, provider asked every time', measured.perRequest),
  ];
}

/** What a token provider adds to a small GET. The provider itself answers at once. */
export const provider: Bench = {
  name: 'provider',
  title: 'Token provider on a small GET, against a fixed token',
  run: () => withServer(rows),
};
