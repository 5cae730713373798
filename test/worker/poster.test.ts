import { AntennaClient, encodeResult, silentLogger, type FetchLike, type WorkerEvents } from 'antenna-sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hurriedClock } from '../support/hurried-clock.js';
import { WorkerEventBus } from '../../src/worker/events.js';
import { errorOutcome, type Outcome } from '../../src/worker/outcome.js';
import { ResultPoster } from '../../src/worker/poster.js';

interface Posted {
  readonly results: readonly { reply_subject: string; result: { error?: string } }[];
}

/** A server that answers each post as the test says. Sleeping takes no time. */
function posterOver(answer: (body: Posted, size: number) => Response) {
  const posts: Posted[] = [];
  const fetch: FetchLike = (_input, init) => {
    const text = Buffer.from(init.body ?? '').toString();
    const body = JSON.parse(text) as Posted;
    posts.push(body);
    return Promise.resolve(answer(body, text.length));
  };
  const client = new AntennaClient({
    baseUrl: 'https://antenna.example',
    apiKey: `abcdefgh.${'x'.repeat(32)}`,
    fetch,
    clock: hurriedClock(),
    logger: silentLogger,
    clientInfo: false,
    retries: 0,
  });
  const bus = new WorkerEventBus(silentLogger);
  const errors: WorkerEvents['error'][] = [];
  bus.on('error', (event) => errors.push(event));
  return { poster: new ResultPoster(client, bus, () => 0.5), posts, errors };
}

const accepted = (body: Posted): Response =>
  Response.json({
    status: 'accepted',
    job_id: 1,
    results_queued: body.results.length,
    tasks: body.results.map(({ reply_subject }) => ({ reply_subject, status: 'queued', task_id: 't' })),
  });
const refusal = (status: number, body: unknown = { detail: 'no' }): Response =>
  Response.json(body, { status });

function outcome(id: number, padding = ''): Outcome {
  const replySubject = `subject-${id}`;
  const result = {
    pipeline: `test-moths${padding}`,
    total_time: 1,
    source_images: [{ id: String(id), url: '' }],
    detections: [],
  };
  return {
    kind: 'success',
    imageId: String(id),
    replySubject,
    encoded: encodeResult({ reply_subject: replySubject, result }),
  };
}

const outcomes = (count: number): Outcome[] => Array.from({ length: count }, (_, index) => outcome(index));
const never = new AbortController().signal;

describe('ResultPoster', () => {
  it('posts in one request what fits in one', async () => {
    const { poster, posts } = posterOver(accepted);
    const report = await poster.post(1, outcomes(5), never);
    expect(report.posted).toHaveLength(5);
    expect(posts).toHaveLength(1);
  });

  it('isolates the items that the server refuses, and reports their images as failed (T33)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.nat(39), { maxLength: 4 }),
        async (count, picks) => {
          const bad = new Set(picks.filter((index) => index < count).map((index) => `subject-${index}`));
          const { poster, posts } = posterOver((body) =>
            body.results.some(
              ({ reply_subject, result }) => bad.has(reply_subject) && result.error === undefined,
            )
              ? refusal(400, { results: ['bad item'] })
              : accepted(body),
          );
          const report = await poster.post(1, outcomes(count), never);
          expect(report.posted).toHaveLength(count);
          expect(report.posted.filter(({ kind }) => kind === 'error')).toHaveLength(bad.size);
          expect(posts.length).toBeLessThanOrEqual(1 + bad.size * (2 * Math.ceil(Math.log2(count + 1)) + 2));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('splits on 413, never sends the same body again, and says so when one result alone is too large', async () => {
    const sent = new Set<string>();
    const { poster, errors } = posterOver((body, size) => {
      const text = JSON.stringify(body);
      expect(sent.has(text)).toBe(false);
      sent.add(text);
      return size > 400 ? refusal(413) : accepted(body);
    });
    const report = await poster.post(1, [...outcomes(6), outcome(99, 'x'.repeat(500))], never);
    expect(report.posted).toHaveLength(7);
    const large = report.posted.find(({ imageId }) => imageId === '99');
    expect(large?.kind).toBe('error');
    expect(large?.encoded.bytes.toString()).toContain('result too large');
    expect(errors).toHaveLength(1);
  });

  it.each([500, 503, 401, 403, 429])(
    'keeps a computed result through a %i and posts it afterwards',
    async (status) => {
      let calls = 0;
      const { poster } = posterOver((body) => (++calls <= 4 ? refusal(status) : accepted(body)));
      const report = await poster.post(1, outcomes(3), never);
      expect(report.posted).toHaveLength(3);
      expect(calls).toBe(5);
    },
  );

  it('never takes an HTML page with status 200 for an acceptance', async () => {
    let calls = 0;
    const html = () => new Response('<html>', { headers: { 'content-type': 'text/html' } });
    const { poster } = posterOver((body) => (++calls === 1 ? html() : accepted(body)));
    const report = await poster.post(1, outcomes(2), never);
    expect(report.posted).toHaveLength(2);
    expect(calls).toBe(2);
  });

  it('sends again what the server did not queue', async () => {
    let first = true;
    const { poster, posts } = posterOver((body) => {
      const taken = first ? { results: body.results.slice(0, 2) } : body;
      first = false;
      return accepted(taken);
    });
    const report = await poster.post(1, outcomes(3), never);
    expect(report.posted).toHaveLength(3);
    expect(posts[1]?.results.map(({ reply_subject }) => reply_subject)).toEqual(['subject-2']);
  });

  it('drops the results of a job that is gone', async () => {
    const { poster } = posterOver(() => refusal(404));
    expect((await poster.post(1, outcomes(3), never)).dropped).toHaveLength(3);
  });

  it('drops an error result that is refused for good, instead of posting it for ever', async () => {
    const { poster } = posterOver(() => refusal(400));
    const report = await poster.post(
      1,
      [errorOutcome({ image_id: '1', reply_subject: 's' }, 'broken')],
      never,
    );
    expect(report.dropped).toHaveLength(1);
  });

  it('reports as unposted what is left when it has to end', async () => {
    const controller = new AbortController();
    const { poster } = posterOver((body) => {
      controller.abort(new Error('shutdown'));
      return accepted(body);
    });
    const report = await poster.post(1, outcomes(120), controller.signal);
    expect(report.posted.length + report.unposted.length).toBe(120);
    expect(report.unposted.length).toBeGreaterThan(0);
  });
});
