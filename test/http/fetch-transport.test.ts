import { AntennaConnectionError, AntennaTimeoutError, type FetchLike } from 'antenna-sdk';
import { createTestClock } from 'antenna-sdk/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { clientOver, closeAll, failure, PROJECT, turns } from '../support/calls.js';

afterEach(closeAll);

const JSON_TYPE = { 'content-type': 'application/json' };

/** What no well-behaved function rejects with. */
const noError = 'no network' as unknown as Error;

/** A body that gives these pieces and then what `end` says; tells when it is cancelled. */
function body(pieces: string[], end: 'close' | 'stall' | Error) {
  const state = { cancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = pieces.shift();
      if (piece !== undefined) controller.enqueue(Buffer.from(piece));
      else if (end === 'close') controller.close();
      else if (end !== 'stall') controller.error(end);
    },
    cancel() {
      state.cancelled = true;
    },
  });
  return { stream, state };
}

describe('a fetch of the user’s', () => {
  it('gets absolute URLs, the whole body, no leave to follow redirects, and a signal', async () => {
    const calls: Parameters<FetchLike>[] = [];
    const client = clientOver((...call) => {
      calls.push(call);
      return Promise.resolve(Response.json({ status: 'accepted', job_id: 1, results_queued: 1, tasks: [] }));
    });
    await client.results.submit(4, [{ reply_subject: 's', result: { error: 'e', image_id: '1' } }]);
    const [input, init] = calls[0] ?? [];
    expect(input).toBe('https://antenna.example/api/v2/jobs/4/result/');
    expect(init).toMatchObject({ method: 'POST', redirect: 'manual' });
    expect(init?.signal).toBeInstanceOf(AbortSignal);
    expect(JSON.parse(Buffer.from(init?.body ?? '').toString())).toMatchObject({
      results: [{ reply_subject: 's' }],
    });
  });

  it('cannot hang a call by ignoring its signal, and a late answer of it is let go', async () => {
    const clock = createTestClock();
    const late = body(['x'], 'stall');
    let answer: (response: Response) => void = () => undefined;
    const call = failure(
      clientOver(() => new Promise((resolve) => (answer = resolve)), { clock, retries: 0 }).projects.get(1),
    );
    await clock.advance(30_000);
    const error = await call;
    expect(error).toBeInstanceOf(AntennaTimeoutError);
    expect(error).toMatchObject({ phase: 'headers', timeoutMs: 30_000, delivered: 'unknown' });
    answer(new Response(late.stream));
    await turns();
    expect(late.state.cancelled).toBe(true);
  });

  it('cannot hang a call with a body that never ends', async () => {
    const clock = createTestClock();
    const { stream, state } = body(['{"id":1,'], 'stall');
    const call = failure(
      clientOver(() => Promise.resolve(new Response(stream, { headers: JSON_TYPE })), {
        clock,
        retries: 0,
      }).projects.get(1),
    );
    await clock.advance(30_000);
    expect(await call).toMatchObject({ code: 'timeout', phase: 'body' });
    expect(state.cancelled).toBe(true);
  });

  it('that fails in the middle of a body gives a connection error, and no resend at once', async () => {
    const clock = createTestClock();
    let sends = 0;
    const call = failure(
      clientOver(
        () => {
          sends += 1;
          const broken = Object.assign(new Error('terminated'), { code: 'UND_ERR_SOCKET' });
          return Promise.resolve(new Response(body(['{"id"'], broken).stream, { headers: JSON_TYPE }));
        },
        { clock, retries: 0 },
      ).projects.get(1),
    );
    const error = await call;
    expect(error).toBeInstanceOf(AntennaConnectionError);
    expect(error.message).toContain('the answer was cut off');
    expect(error).toMatchObject({ delivered: 'unknown', causeCode: 'UND_ERR_SOCKET' });
    expect(sends).toBe(1);
  });

  it('stops reading an answer that is too large, and lets the rest of it go', async () => {
    const { stream, state } = body(
      Array.from({ length: 50 }, () => 'x'.repeat(100)),
      'stall',
    );
    const client = clientOver(() => Promise.resolve(new Response(stream, { headers: JSON_TYPE })), {
      maxResponseBytes: 1_000,
    });
    expect(await failure(client.projects.get(1))).toMatchObject({ code: 'contract_too_large', attempts: 1 });
    await turns();
    expect(state.cancelled).toBe(true);
  });

  it.each([
    [
      'throws',
      () => {
        throw new TypeError('no network');
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('no network'))],
    ['rejects with what is no error', () => Promise.reject(noError)],
  ] as [string, FetchLike][])('that %s gives a connection error', async (_, fetch) => {
    const error = await failure(clientOver(fetch, { retries: 0 }).projects.get(1));
    expect(error).toBeInstanceOf(AntennaConnectionError);
    expect(error.message).toContain('no network');
    expect(error).toMatchObject({ delivered: 'unknown', attempts: 1 });
  });

  it.each([
    ['ECONNREFUSED', 'no'],
    ['ENOTFOUND', 'no'],
    ['UND_ERR_SOCKET', 'unknown'],
    ['UND_ERR_HEADERS_TIMEOUT', 'unknown'],
    ['EPIPE', 'unknown'],
  ])('that fails for %s delivered %j, the code being hidden in the cause', async (code, delivered) => {
    const cause = Object.assign(new Error('inner'), { code });
    const fetch = () => Promise.reject(new TypeError('fetch failed', { cause }));
    const error = await failure(clientOver(fetch, { retries: 0 }).tasks.reserve(1, { batchSize: 1 }));
    expect(error).toMatchObject({ delivered, causeCode: code });
    expect(error.message).toContain('inner');
  });

  it('that hides a redirect as browsers do is not taken for an answer', async () => {
    const opaque = Object.defineProperties(new Response(null), {
      type: { value: 'opaqueredirect' },
      status: { value: 0 },
    });
    expect(await failure(clientOver(() => Promise.resolve(opaque)).projects.get(1))).toMatchObject({
      code: 'contract_redirect',
    });
  });

  it('may answer without a body where none belongs', async () => {
    await clientOver(() => Promise.resolve(new Response(null, { status: 204 }))).auth.logout();
    const chatty = clientOver(() => Promise.resolve(Response.json(PROJECT)));
    expect(await failure(chatty.auth.logout())).toMatchObject({ code: 'contract_unexpected_status' });
  });
});
