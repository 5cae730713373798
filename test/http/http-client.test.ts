import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { getEventListeners } from 'node:events';
import {
  AntennaAbortError,
  OriginGateError,
  REQUEST_CHANNELS,
  type FetchLike,
  type RequestEvent,
} from 'antenna-sdk';
import { createTestClock } from 'antenna-sdk/testing';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { MAX_GATE_MS } from '../../src/http/gate.js';
import { clientOver, closeAll, failure, PROJECT, turns, type Failure } from '../support/calls.js';

afterEach(closeAll);

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  Response.json(body, { status, headers });

/** Answers with what the script says, one call after another; the last entry answers all that follow. */
function scripted(...script: ((input: string) => Response | Error)[]) {
  const sent: string[] = [];
  const fetch: FetchLike = async (input) => {
    sent.push(input);
    const answer = (script[Math.min(sent.length, script.length) - 1] ?? (() => json(200, PROJECT)))(input);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { fetch, sent };
}
const unavailable = (retryAfter?: string) => () =>
  json(503, { error: 'down' }, retryAfter === undefined ? {} : { 'retry-after': retryAfter });
const ok = () => json(200, PROJECT);
const reset = () => Object.assign(new Error('reset'), { code: 'ECONNRESET' });
const refused = () => Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });

describe("the origin's gate", () => {
  it.each([429, 503])('closes for all calls of the client on one %i, and opens for all', async (status) => {
    const clock = createTestClock();
    const { fetch, sent } = scripted(() => json(status, {}, { 'retry-after': '10' }), ok);
    const client = clientOver(fetch, { clock });
    const first = client.projects.get(1);
    await turns();
    const others = Array.from({ length: 20 }, (_, index) => client.projects.get(index + 2));
    await clock.advance(9_999);
    expect(sent).toHaveLength(1);
    expect(client.pressure.gateClosedForMs).toBe(1);
    await clock.advance(1);
    await Promise.all([first, ...others]);
    expect(sent).toHaveLength(22);
  });

  it.each([500, 502, 504])('stays open on a %i, which may be one request’s own fault', async (status) => {
    const { fetch } = scripted(() => json(status, {}));
    const client = clientOver(fetch, { retries: 0, random: () => 0.9 });
    await failure(client.projects.get(1));
    expect(client.pressure.gateClosedForMs).toBe(0);
  });

  it('takes a Retry-After of 0 for no invitation to everybody at once', async () => {
    const clock = createTestClock();
    const client = clientOver(scripted(unavailable('0')).fetch, { clock, retries: 0, random: () => 0.5 });
    await failure(client.projects.get(1));
    expect(client.pressure.gateClosedForMs).toBe(250);
  });

  it('never stays closed for longer than five minutes, whatever a broken proxy asks', async () => {
    const clock = createTestClock();
    const client = clientOver(scripted(unavailable('99999999')).fetch, { clock });
    expect(await failure(client.projects.get(1))).toMatchObject({
      status: 503,
      retryAfterMs: 99_999_999_000,
    });
    expect(client.pressure.gateClosedForMs).toBe(MAX_GATE_MS);
  });

  it('lets no call wait beyond its own deadline, also when it closes again meanwhile', async () => {
    const clock = createTestClock();
    const { fetch, sent } = scripted(unavailable('10'), unavailable('50'), ok);
    const client = clientOver(fetch, { clock, retries: 0 });
    await failure(client.projects.get(1));
    const patient = failure(client.projects.get(2, { timeoutMs: 30_000 }));
    const prober = failure(client.projects.get(3, { timeoutMs: 15_000 }));
    await clock.advance(10_000);
    expect(await prober).toBeDefined();
    const error = await patient;
    expect(clock.now()).toBe(10_000);
    expect([error, await prober].some((each) => each instanceof OriginGateError)).toBe(true);
    expect(sent.length).toBeLessThanOrEqual(3);
  });

  it('holds dozens of calls without Node taking their listeners for a leak', async () => {
    const warnings: string[] = [];
    const listen = (warning: Error): void => {
      warnings.push(warning.message);
    };
    process.on('warning', listen);
    const { signal } = new AbortController();
    for (const options of [{}, { signal }]) {
      const clock = createTestClock();
      const client = clientOver(scripted(unavailable('10'), ok).fetch, { clock });
      const first = client.projects.get(1);
      await turns();
      const others = Array.from({ length: 30 }, () => client.projects.get(1, options));
      await clock.advance(10_000);
      await Promise.all([first, ...others]);
    }
    await turns();
    process.off('warning', listen);
    expect(warnings).toEqual([]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('fails fast, before anything is sent, when it opens too late for the call', async () => {
    const clock = createTestClock();
    const { fetch, sent } = scripted(unavailable('50'));
    const client = clientOver(fetch, { clock, retries: 0 });
    await failure(client.projects.get(1));
    const error = await failure(client.tasks.reserve(1, { batchSize: 1 }, { timeoutMs: 49_000 }));
    expect(error).toBeInstanceOf(OriginGateError);
    expect(error).toMatchObject({ retryAfterMs: 50_000, delivered: 'no', code: 'origin_gate' });
    expect(sent).toHaveLength(1);
  });

  it('is not closed further, and no retry is spent, by calls that it kept waiting and that gave up', async () => {
    const clock = createTestClock();
    const client = clientOver(scripted(unavailable('40')).fetch, { clock, retries: 3 });
    const controller = new AbortController();
    const call = failure(client.projects.get(1, { signal: controller.signal }));
    await turns();
    await clock.advance(20_000);
    const before = client.pressure;
    controller.abort();
    expect(await call).toBeInstanceOf(AntennaAbortError);
    expect(client.pressure).toEqual(before);
    expect(before.gateClosedForMs).toBe(20_000);
  });

  it('says that an earlier try may have arrived, when it stops the next', async () => {
    const clock = createTestClock();
    const hold: { release?: (response: Response) => void } = {};
    let posts = 0;
    const client = clientOver(
      (input) => {
        if (!input.includes('/result/')) return Promise.resolve(unavailable('55')());
        posts += 1;
        return new Promise<Response>((resolve) => {
          hold.release = resolve;
        });
      },
      { clock, retries: 2, random: () => 0.5 },
    );
    const submission = failure(client.results.submit(1, [], { timeoutMs: 30_000 }));
    await turns();
    hold.release?.(json(504, {}));
    await turns();
    await failure(client.projects.get(1, { retries: 0 }));
    await clock.advance(300);
    const error = await submission;
    expect(error).toBeInstanceOf(OriginGateError);
    expect(error).toMatchObject({ delivered: 'unknown' });
    expect(error.message).toContain('not sent again');
    expect(posts).toBe(1);
  });
});

describe('the retry loop', () => {
  it('waits between tries by the policy, on the injected clock alone', async () => {
    const clock = createTestClock();
    const { fetch, sent } = scripted(() => json(500, {}));
    const call = failure(clientOver(fetch, { clock, random: () => 0.5 }).projects.get(1));
    const counts: number[] = [];
    for (const wait of [249, 1, 499, 1, 999, 1]) {
      await clock.advance(wait);
      await turns();
      counts.push(sent.length);
    }
    expect(counts).toEqual([1, 2, 2, 3, 3, 4]);
    expect(await call).toMatchObject({ attempts: 4 });
  });

  it('stops a storm: of a hundred failing calls, ten and a tenth are retried', async () => {
    const { fetch, sent } = scripted(() => json(500, {}));
    const client = clientOver(fetch, { retries: 3 });
    await Promise.all(Array.from({ length: 100 }, () => failure(client.projects.get(1))));
    expect(sent.length).toBeGreaterThan(105);
    expect(sent.length).toBeLessThanOrEqual(120);
    expect(client.pressure.retriesLeft).toBe(0);
  });

  it('starts no try that cannot begin before the deadline', async () => {
    const clock = createTestClock();
    const { fetch, sent } = scripted(unavailable('30'));
    const error = await failure(clientOver(fetch, { clock }).projects.get(1, { timeoutMs: 20_000 }));
    expect(error).toMatchObject({ status: 503, retryAfterMs: 30_000, attempts: 1 });
    expect(sent).toHaveLength(1);
  });

  it('wakes from its backoff when the signal aborts, with the very reason as cause', async () => {
    const clock = createTestClock();
    const { fetch, sent } = scripted(unavailable('30'), ok);
    const controller = new AbortController();
    const reason = { any: 'value' };
    const call = failure(
      clientOver(fetch, { clock }).tasks.reserve(1, { batchSize: 1 }, { signal: controller.signal }),
    );
    await turns();
    controller.abort(reason);
    const error = await call;
    expect(error).toBeInstanceOf(AntennaAbortError);
    expect(error.cause).toBe(reason);
    // The 503 said that nothing was reserved.
    expect(error).toMatchObject({ delivered: 'no' });
    expect(sent).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('asks nobody when the signal was aborted before the call', async () => {
    const { fetch, sent } = scripted(ok);
    let asked = 0;
    const credentials = {
      get: () => {
        asked += 1;
        return Promise.reject(new Error('an unhandled rejection would end the process'));
      },
    };
    const error = await failure(
      clientOver(fetch, { credentials }).projects.get(1, { signal: AbortSignal.abort('no') }),
    );
    expect(error).toMatchObject({ code: 'aborted', cause: 'no', delivered: 'no' });
    expect([sent.length, asked]).toEqual([0, 0]);
    await turns();
  });

  it("does not retry because of somebody else's timeout that came through the signal", async () => {
    const { fetch, sent } = scripted(reset, reset);
    const controller = new AbortController();
    const client = clientOver((input, init) => {
      controller.abort(new DOMException('out of time', 'TimeoutError'));
      return fetch(input, init);
    });
    expect(await failure(client.projects.get(1, { signal: controller.signal }))).toBeInstanceOf(
      AntennaAbortError,
    );
    expect(sent).toHaveLength(1);
  });

  it.each([
    [{ timeoutMs: Number.NaN }, 'timeoutMs'],
    [{ timeoutMs: 0 }, 'timeoutMs'],
    [{ timeoutMs: -1 }, 'timeoutMs'],
    [{ retries: Number.NaN }, 'retries'],
    [{ retries: -1 }, 'retries'],
    [{ retries: 1.5 }, 'retries'],
    [{ signal: {} as AbortSignal }, 'signal'],
    [{ headers: { 'bad name': 'x' } }, 'headers.bad name'],
    [{ headers: { 'x-a': 'line\r\nbreak' } }, 'headers.x-a'],
    [{ headers: { Authorization: 'Token x' } }, 'headers.Authorization'],
    [{ headers: { Accept: 'text/html' } }, 'headers.Accept'],
    [{ headers: { 'Transfer-Encoding': 'chunked' } }, 'headers.Transfer-Encoding'],
    [{ headers: { 'Accept-Encoding': 'br' } }, 'headers.Accept-Encoding'],
  ])('refuses the option %o by name, and sends nothing', async (options, path) => {
    const { fetch, sent } = scripted(ok);
    const error = await failure(clientOver(fetch).projects.get(1, options));
    expect(error).toMatchObject({ code: 'config', issues: [{ path }] });
    expect(sent).toEqual([]);
  });
});

describe('certainty about delivery', () => {
  const CALLS: [string, string, (() => Response | Error)[], object][] = [
    ['a refused connection', 'no', [refused], { code: 'connection', attempts: 1 }],
    ['a reset', 'unknown', [reset], { code: 'connection', attempts: 1 }],
    ['a refused one after a 503', 'no', [unavailable(), refused], { code: 'connection', attempts: 2 }],
    ['a reset after a refused one', 'unknown', [refused, reset], { code: 'connection', attempts: 2 }],
  ];
  it.each(CALLS)('of a reservation that ended in %s is %j', async (_, delivered, script, rest) => {
    const client = clientOver(scripted(...script).fetch, { retries: script.length - 1 });
    expect(await failure(client.tasks.reserve(1, { batchSize: 1 }))).toMatchObject({ delivered, ...rest });
  });

  it('covers all tries of a call: a refused connection does not undo a reset before it', async () => {
    const { fetch } = scripted(() => json(504, {}), refused);
    const error = await failure(clientOver(fetch, { retries: 1 }).results.submit(1, []));
    expect(error).toMatchObject({ causeCode: 'ECONNREFUSED', delivered: 'unknown' });
  });

  it.each([
    ['reserve', 1, (client: ReturnType<typeof clientOver>) => client.tasks.reserve(1, { batchSize: 1 })],
    ['logout', 1, (client: ReturnType<typeof clientOver>) => client.auth.logout()],
    [
      'generateKey',
      1,
      (client: ReturnType<typeof clientOver>) => client.processingServices.generateKey(1, 1),
    ],
    [
      'create a service',
      1,
      (client: ReturnType<typeof clientOver>) => client.processingServices.create(1, { name: 'w' }),
    ],
    [
      'create a job',
      1,
      (client: ReturnType<typeof clientOver>) => client.jobs.create({ name: 'n', project_id: 1 }),
    ],
    ['run a job', 1, (client: ReturnType<typeof clientOver>) => client.jobs.run(1)],
    ['retry a job', 1, (client: ReturnType<typeof clientOver>) => client.jobs.retry(1)],
    ['cancel a job', 3, (client: ReturnType<typeof clientOver>) => client.jobs.cancel(1)],
    ['submit', 3, (client: ReturnType<typeof clientOver>) => client.results.submit(1, [])],
    ['register', 3, (client: ReturnType<typeof clientOver>) => client.pipelines.register(1, [])],
    [
      'log in',
      3,
      (client: ReturnType<typeof clientOver>) => client.auth.login({ email: 'e', password: 'p' }),
    ],
    ['read', 3, (client: ReturnType<typeof clientOver>) => client.jobs.get(1)],
  ] as const)('decides how often to %s when the connection is reset: %i', async (_, times, call) => {
    const { fetch, sent } = scripted(reset);
    // With one retry: the first try, one resend at once on what may be a stale connection, and the retry.
    await failure(call(clientOver(fetch, { retries: 1 })));
    expect(sent).toHaveLength(times);
  });

  it('never sends again what must not happen twice, also when the server refused it', async () => {
    const { fetch, sent } = scripted(unavailable('0'));
    await failure(clientOver(fetch).processingServices.generateKey(1, 1));
    expect(sent).toHaveLength(1);
  });

  it('reserves again after a 503 or 429, with which the server says that it reserved nothing', async () => {
    const { fetch, sent } = scripted(
      unavailable('0'),
      () => json(429, {}),
      () => json(200, { tasks: [] }),
    );
    expect(await clientOver(fetch).tasks.reserve(1, { batchSize: 1 })).toEqual([]);
    expect(sent).toHaveLength(3);
  });

  it('spends the retry budget for a resend too, so that a dying server is not asked twice for ever', async () => {
    const { fetch, sent } = scripted(reset);
    const client = clientOver(fetch, { retries: 0 });
    for (let call = 0; call < 40; call++) await failure(client.projects.get(1));
    expect(sent.length).toBeLessThanOrEqual(40 + 10 + 4);
  });
});

describe('close', () => {
  it('may be called again and again, together and later', async () => {
    const client = clientOver(scripted(ok).fetch);
    await Promise.all([client.close(), client.close()]);
    await client.close();
    await client[Symbol.asyncDispose]();
    expect(await failure(client.projects.get(1))).toMatchObject({ code: 'aborted', delivered: 'no' });
  });

  it('ends the client for the dialect probe and for lists begun before, too', async () => {
    const page = { count: 2, next: 'https://antenna.example/?limit=1&offset=1', results: [PROJECT] };
    const { fetch, sent } = scripted(() => json(200, page));
    const client = clientOver(fetch);
    const items = client.projects.list()[Symbol.asyncIterator]();
    await items.next();
    await client.close();
    expect(await failure(items.next())).toMatchObject({ code: 'aborted' });
    expect(await failure(client.probeDialect())).toMatchObject({ code: 'aborted' });
    expect(sent).toHaveLength(1);
  });

  it('is what `await using` does', async () => {
    const client = clientOver(scripted(ok).fetch);
    await client[Symbol.asyncDispose]();
    expect(await failure(client.projects.get(1))).toBeInstanceOf(AntennaAbortError);
  });
});

describe('diagnostics channels', () => {
  const events: [string, RequestEvent][] = [];
  const listeners = Object.entries(REQUEST_CHANNELS).map(([kind, name]) => {
    const listen = (message: unknown): void => {
      events.push([kind, message as RequestEvent]);
    };
    return [name, listen] as const;
  });
  afterEach(() => {
    for (const [name, listen] of listeners) unsubscribe(name, listen);
    events.length = 0;
  });

  it('tell of a call from start to end, its retries in between', async () => {
    for (const [name, listen] of listeners) subscribe(name, listen);
    const clock = createTestClock();
    const { fetch } = scripted(() => json(500, {}), ok);
    const call = clientOver(fetch, { clock, random: () => 0.5 }).projects.get(1);
    await clock.advance(250);
    await call;
    expect(events.map(([kind]) => kind)).toEqual(['start', 'retry', 'end']);
    const [start, retry, end] = events.map(([, event]) => event);
    expect(start).toMatchObject({
      operation: 'projects.get',
      method: 'GET',
      path: '/projects/1/',
      attempts: 0,
    });
    expect(retry).toMatchObject({ attempts: 1, code: 'server', delayMs: 250, status: 500 });
    expect(end).toMatchObject({ attempts: 2, status: 200, durationMs: 250, bytesSent: 0 });
    expect(end?.phases).toHaveProperty('body');
    expect(new Set(events.map(([, event]) => event.requestId)).size).toBe(1);
  });

  it('name the code of the failure', async () => {
    for (const [name, listen] of listeners) subscribe(name, listen);
    await failure(clientOver(scripted(() => json(404, {})).fetch).projects.get(1));
    expect(events.at(-1)).toMatchObject(['error', { code: 'not_found', status: 404 }]);
  });

  it('hold neither query nor header nor body', async () => {
    for (const [name, listen] of listeners) subscribe(name, listen);
    const client = clientOver(scripted(() => json(200, { count: 0, next: null, results: [] })).fetch);
    await client.jobs.list({ search: 'private words' }, { headers: { 'x-note': 'private header' } });
    expect(JSON.stringify(events)).not.toContain('private');
  });

  it('cost nothing while nobody listens: no event is built', async () => {
    const client = clientOver(scripted(ok).fetch, {
      clock: {
        ...createTestClock(),
        now: () => {
          reads += 1;
          return 0;
        },
      },
    });
    let reads = 0;
    await client.projects.get(1);
    const silent = reads;
    for (const [name, listen] of listeners) subscribe(name, listen);
    reads = 0;
    await client.projects.get(1);
    // Each event reads the clock for its duration.
    expect(reads - silent).toBe(events.length);
    expect(events).toHaveLength(2);
  });

  it('survive a listener that throws', async () => {
    const bad = (): void => {
      throw new Error('listener');
    };
    const uncaught: unknown[] = [];
    const before = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => uncaught.push(error));
    subscribe(REQUEST_CHANNELS.start, bad);
    try {
      expect(await clientOver(scripted(ok).fetch).projects.get(1)).toMatchObject(PROJECT);
      await turns();
    } finally {
      unsubscribe(REQUEST_CHANNELS.start, bad);
      process.removeAllListeners('uncaughtException');
      for (const listener of before) process.on('uncaughtException', listener);
    }
    expect(uncaught).toHaveLength(1);
  });
});

describe('any script of answers', () => {
  it('ends in a result or in one of our errors, with no more sends than allowed and no timer left', async () => {
    const step = fc.constantFrom<() => Response | Error>(
      ok,
      reset,
      refused,
      unavailable(),
      unavailable('1'),
      unavailable('90'),
      () => json(500, {}),
      () => json(401, {}),
      () => json(200, { odd: 1 }),
      () => new Response('<html>', { headers: { 'content-type': 'text/html' } }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 8 }),
        fc.nat(4),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        async (script, retries, random) => {
          const clock = createTestClock();
          const { fetch, sent } = scripted(...script);
          const client = clientOver(fetch, { clock, retries, random: () => random });
          let result: unknown;
          const call = client.projects.get(1, { timeoutMs: 60_000 }).then(
            (value) => (result = value),
            (error: unknown) => (result = error),
          );
          for (let round = 0; round < 8 && result === undefined; round++) await clock.advance(10_000);
          await call;
          const named = result instanceof Error ? (result as Failure)['code'] !== undefined : true;
          return named && sent.length <= retries + 2 && clock.pending === 0;
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);
});
