import { compare, measure, rounds, withProgram, type Bench } from './harness.js';

const ROUNDS = 9;
const REQUESTS = 3000;

/** What one run of `get-client.mjs` prints. */
export interface Measured {
  cpuUs: number;
  wallUs: number;
}

/** A server in a process of its own, so that its work is not counted. */
export const withServer = <Result>(use: (url: string) => Result): Promise<Result> =>
  withProgram('get-server.mjs', [], use);

function rowsFor(url: string, concurrency: number): ReturnType<typeof compare>[] {
  const client = (way: string) => () =>
    measure('get-client.mjs', way, url, String(REQUESTS), String(concurrency)) as Measured;
  const { ours, raw } = rounds(ROUNDS, { ours: client('static'), raw: client('undici') });
  const row = (kind: keyof Measured, atMost?: number): ReturnType<typeof compare> =>
    compare({
      what: `${kind === 'cpuUs' ? 'CPU' : 'wall'} a request, ${concurrency} at a time`,
      ours: ours.map((one) => one[kind]),
      raw: raw.map((one) => one[kind]),
      unit: 'µs',
      ...(atMost === undefined ? {} : { atMost }),
    });
  return [row('cpuUs', 1.5), row('wallUs')];
}

/** One small answer through the client, with all that it checks and promises, against a bare request. */
export const get: Bench = {
  name: 'get',
  title: 'Small GET, against undici.request',
  run: () => withServer((url) => [...rowsFor(url, 1), ...rowsFor(url, 16)]),
};
