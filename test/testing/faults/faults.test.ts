import { describe, expect, it } from 'vitest';
import { createCaller, createWorld, post, success, take } from '../helpers.js';
import type { Caller } from '../helpers.js';

const list = (call: Caller) => call('GET', '/projects/');

/** The fault's effect on `fetch`: the code of the cause, or `answered`. */
async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'answered';
  } catch (error) {
    return ((error as Error).cause as { code?: string } | undefined)?.code ?? String(error);
  }
}

describe('which requests a fault hits', () => {
  it('hits the named route only', async () => {
    const { server, call } = createWorld();
    server.faults.answer({ status: 503, body: { detail: 'busy' } }, { route: 'projects.list' });
    expect((await list(call)).status).toBe(503);
    expect((await call('GET', '/jobs/')).status).toBe(200);
  });

  it('hits by method, path and any condition', async () => {
    const { server, call } = createWorld();
    server.faults.answer(
      { status: 418 },
      { method: 'GET', path: /\/jobs\//, where: (request) => request.query.includes('limit=3') },
    );
    expect((await call('GET', '/jobs/?limit=3')).status).toBe(418);
    expect((await call('GET', '/jobs/?limit=4')).status).toBe(200);
    expect((await call('GET', '/projects/?limit=3')).status).toBe(200);
  });

  it('passes the first `after`, hits `times`, then ends', async () => {
    const { server, call } = createWorld();
    const fault = server.faults.answer({ status: 500, body: 'broken' }, { after: 1, times: 2 });
    const statuses: number[] = [];
    for (let index = 0; index < 5; index++) statuses.push((await list(call)).status);
    expect(statuses).toEqual([200, 500, 500, 200, 200]);
    expect(fault.hits).toBe(2);
  });

  it('hits a share of the requests, the same ones for the same seed', async () => {
    const run = async (seed: number): Promise<string> => {
      const { server, call } = createWorld({ seed });
      server.faults.answer({ status: 500, body: 'broken' }, { probability: 0.5 });
      let pattern = '';
      for (let index = 0; index < 40; index++) pattern += (await list(call)).status === 500 ? 'x' : '.';
      return pattern;
    };
    const pattern = await run(3);
    expect(pattern).toBe(await run(3));
    expect(pattern).not.toBe(await run(4));
    const hits = pattern.replaceAll('.', '').length;
    expect(hits).toBeGreaterThan(8);
    expect(hits).toBeLessThan(32);
  });

  it('ends when removed, and all end when cleared', async () => {
    const { server, call } = createWorld();
    server.faults.answer({ status: 500, body: 'broken' }).remove();
    expect((await list(call)).status).toBe(200);
    server.faults.outage();
    server.faults.queueOutage();
    server.faults.clear();
    expect((await list(call)).status).toBe(200);
  });
});

describe('what can go wrong with an answer', () => {
  it('comes late, on the injected clock', async () => {
    const { server, call, clock } = createWorld();
    server.faults.latency(5000);
    let isDone = false;
    const pending = list(call).then(() => {
      isDone = true;
    });
    await clock.advance(4999);
    expect(isDone).toBe(false);
    await clock.advance(1);
    await pending;
  });

  it('is 429 with Retry-After', async () => {
    const { server, call } = createWorld();
    server.faults.tooManyRequests({ retryAfter: 7 }, { times: 1 });
    const answer = await list(call);
    expect(answer.status).toBe(429);
    expect(answer.headers.get('retry-after')).toBe('7');
  });

  it('is the proxy’s 413 for bodies above a size, and nothing reaches the server', async () => {
    const { server, call, project, pipeline } = createWorld();
    const job = project.job({ pipeline, images: 1 });
    server.faults.tooLarge({ maxBytes: 2000 }, { route: 'result' });
    const [task] = await take(call, job.id);
    if (!task) throw new Error('a task expected');
    const large = await post(
      call,
      job.id,
      success(
        task,
        Array.from({ length: 20 }, (_, index) => index),
      ),
    );
    expect(large.status).toBe(413);
    expect(large.headers.get('content-type')).toMatch(/html/);
    expect(job.ledger.total('posted')).toBe(0);
    expect((await post(call, job.id, success(task))).status).toBe(200);
  });

  it('has another content type, or another body', async () => {
    const { server, call } = createWorld();
    server.faults.contentType('text/html', { times: 1 });
    expect((await list(call)).headers.get('content-type')).toBe('text/html');
    server.faults.contentType('application/json', { times: 1 }, '<html>');
    expect((await list(call)).body).toBe('<html>');
  });

  it('is lost before or after the work was done', async () => {
    const { server, call, project, pipeline } = createWorld();
    const job = project.job({ pipeline, images: 3 });
    const reserve = () => call('POST', `/jobs/${job.id}/tasks/`, { batch_size: 1 });
    server.faults.resetBefore({ times: 1 });
    expect(await outcome(reserve())).toBe('ECONNRESET');
    expect(job.queue?.outstanding).toBe(0);
    server.faults.loseReservedTasks({ times: 1 });
    expect(await outcome(reserve())).toBe('ECONNRESET');
    expect(job.queue?.outstanding).toBe(1);
    expect(server.requests.at(-1)?.status).toBeNull();
  });

  it.each(['fetch', 'socket'] as const)(
    'stalls or breaks in the middle of the body, over a %s',
    async (way) => {
      const { server, key } = createWorld();
      const listener = await server.listen();
      const get = (signal?: AbortSignal) =>
        (way === 'fetch' ? server.fetch : fetch)(
          `${way === 'fetch' ? server.baseUrl : listener.url}/projects/`,
          { headers: { authorization: `Api-Key ${key.value}` }, ...(signal ? { signal } : {}) },
        );
      try {
        server.faults.truncateBody({ afterBytes: 10 }, { times: 1 });
        const cut = await get();
        expect(cut.status).toBe(200);
        await expect(cut.text()).rejects.toThrow();

        server.faults.stallBody({ afterBytes: 10 }, { times: 1 });
        const controller = new AbortController();
        const reader = (await get(controller.signal)).body?.getReader();
        const first = await reader?.read();
        expect((first?.value as Uint8Array | undefined)?.byteLength).toBe(10);
        const rest = reader?.read();
        controller.abort();
        await expect(rest).rejects.toThrow();
      } finally {
        await server.close();
      }
    },
  );

  it('never comes from a server that is gone, or is its proxy’s page', async () => {
    const { server, call } = createWorld();
    const outage = server.faults.outage();
    expect(await outcome(list(call))).toBe('ECONNREFUSED');
    outage.remove();
    server.faults.outage({ as: 'bad-gateway' });
    expect((await list(call)).status).toBe(502);
  });

  it('is whatever a rule of the test’s own makes it', async () => {
    const { server, call } = createWorld();
    server.faults.intervene(async (_, next) => {
      const reply = await next();
      return reply.kind === 'answer' ? { ...reply, response: { ...reply.response, status: 299 } } : reply;
    });
    expect((await list(call)).status).toBe(299);
  });
});

describe('server.use', () => {
  it('replaces one answer, then the server is itself again', async () => {
    const { server, call, project, pipeline } = createWorld();
    const job = project.job({ pipeline, images: 1 });
    server.use({ route: 'tasks' }, { body: { tasks: [] } });
    expect(await take(call, job.id)).toEqual([]);
    expect(await take(call, job.id)).toHaveLength(1);
  });

  it('lets a function answer, with the request at hand', async () => {
    const { server, call } = createWorld();
    server.use({ route: 'projects.list', times: 2 }, (request) => ({ body: { query: request.query } }));
    expect((await call('GET', '/projects/?limit=9')).body).toEqual({ query: 'limit=9' });
  });
});

describe('what can go wrong behind the answers', () => {
  it('a queue outage hangs a tasks call for two minutes, then answers 503, and reserves nothing', async () => {
    const { server, call, project, pipeline, clock } = createWorld();
    const job = project.job({ pipeline, images: 1 });
    const fault = server.faults.queueOutage();
    const pending = call('POST', `/jobs/${job.id}/tasks/`, { batch_size: 1 });
    await clock.advance(120_000);
    expect(await pending).toMatchObject({
      status: 503,
      body: { error: 'Task queue temporarily unavailable' },
    });
    fault.remove();
    expect(await take(call, job.id)).toHaveLength(1);
  });

  it('a broker outage answers results with 503 and queues nothing', async () => {
    const { server, call, project, pipeline, clock } = createWorld();
    const job = project.job({ pipeline, images: 1 });
    const [task] = await take(call, job.id);
    if (!task) throw new Error('a task expected');
    server.faults.brokerOutage();
    const pending = post(call, job.id, success(task));
    await clock.advance(1300);
    expect(await pending).toMatchObject({ status: 503, body: { status: 'error', job_id: job.id } });
    expect(job.results).toEqual([]);
  });

  it('a redelivery storm delivers everything in flight again', async () => {
    const { server, call, project, pipeline } = createWorld();
    const job = project.job({ pipeline, images: 3 });
    await take(call, job.id);
    server.faults.redeliveryStorm({ times: 1 });
    expect(await take(call, job.id)).toHaveLength(3);
    expect(await take(call, job.id)).toHaveLength(0);
  });

  it('a failed save is not counted, and the task comes again', async () => {
    const { server, call, project, pipeline, clock } = createWorld();
    const job = project.job({ pipeline, images: 1 });
    const [task] = await take(call, job.id);
    if (!task) throw new Error('a task expected');
    const fault = server.faults.saveFailure({ reason: 'disk full', times: 1 });
    await post(call, job.id, success(task));
    expect(job.results[0]?.outcome).toEqual({ kind: 'save-failed', reason: 'disk full' });
    expect(job.counts.captures).toBe(0);
    expect(fault.hits).toBe(1);
    await clock.advance(30_000);
    const [again] = await take(call, job.id);
    if (!again) throw new Error('a redelivery expected');
    await post(call, job.id, success(again));
    expect(job.status).toBe('SUCCESS');
  });
});

describe('over a real socket', () => {
  it('cuts the connection before an answer, for an outage as for a reset', async () => {
    const { server, key } = createWorld();
    const listener = await server.listen();
    const call = createCaller(fetch, listener.url, `Api-Key ${key.value}`);
    try {
      server.faults.resetAfter({ times: 1 });
      server.faults.outage({}, { times: 1, after: 1 });
      for (let index = 0; index < 2; index++) {
        expect(['ECONNRESET', 'UND_ERR_SOCKET']).toContain(await outcome(list(call)));
      }
      expect((await list(call)).status).toBe(200);
    } finally {
      await server.close();
    }
  });
});
