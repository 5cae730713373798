import { AntennaConfigError } from 'antenna-sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { health, type HealthFacts } from '../../../src/worker/observe/health.js';
import {
  startHealthServer,
  type HealthServer,
  type HealthServerOptions,
} from '../../../src/worker/observe/health-server.js';
import { WorkerMetrics } from '../../../src/worker/observe/metrics.js';
import { loadPrometheus } from '../../../src/worker/observe/prometheus.js';
import { factsOf, gaugesOf, NOW_MS } from './support.js';

const open: HealthServer[] = [];

async function serve(
  facts: Partial<HealthFacts>,
  options: Partial<HealthServerOptions> = {},
): Promise<(path: string, init?: RequestInit) => Promise<Response>> {
  const metrics = new WorkerMetrics();
  metrics.count('posted', 7);
  metrics.observe('post', 250);
  const gauges = gaugesOf({
    held: { count: 5, bytes: 1_234 },
    hold: { target: 16, bound: 'lease' },
    estimates: {
      moths: { batchLimit: 8, taskMeanMs: 150, taskSdMs: undefined, downloadP95Ms: 1, reserveP95Ms: 1 },
    },
    spool: { files: 2, bytes: 99 },
  });
  const source = {
    health: () => health(factsOf(facts), NOW_MS),
    metrics: () => metrics.snapshot({ gauges: () => gauges }),
  };
  const server = await startHealthServer({ source, port: 0, ...options });
  open.push(server);
  return (path, init) => fetch(`http://${server.host}:${server.port}${path}`, init);
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

describe('the health port', () => {
  it('answers 200 for a worker that is well, idle or not', async () => {
    const get = await serve({});
    for (const path of ['/livez', '/readyz', '/livez?verbose']) expect((await get(path)).status).toBe(200);
    const head = await get('/livez', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('asks for a restart of one that is stuck, and says what it saw', async () => {
    const get = await serve({ lastTurnAtMs: 0 });
    const answer = await get('/livez');
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      status: 'stuck',
      checks: expect.arrayContaining([
        { name: 'loop', status: 'stuck', detail: 'last turn 86400.0 s ago' },
      ]) as unknown,
    });
  });

  it('keeps one alive whose server is away, but not ready', async () => {
    const get = await serve({ lastContactAtMs: 0 });
    expect((await get('/livez')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(503);
  });

  it('listens on this machine only, unless told otherwise', async () => {
    await serve({});
    expect(open[0]?.host).toBe('127.0.0.1');
  });

  it('has nothing else: other paths are 404, other methods 405', async () => {
    const get = await serve({});
    expect((await get('/')).status).toBe(404);
    expect((await get('/livez', { method: 'POST' })).status).toBe(405);
  });

  it('answers 500 without details when it cannot look', async () => {
    const broken = (): never => {
      throw new Error('secret detail');
    };
    const get = await serve({}, { source: { health: broken, metrics: broken } });
    const answer = await get('/livez');
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('secret');
  });

  it('names the port and the reason when it is taken', async () => {
    await serve({});
    const port = open[0]?.port ?? 0;
    await expect(serve({}, { port })).rejects.toThrow(AntennaConfigError);
    await expect(serve({}, { port })).rejects.toThrow(
      new RegExp(`port: cannot listen on 127.0.0.1:${port}.*in use`),
    );
  });
});

describe('/metrics', () => {
  it('is Prometheus text: counters, gauges with their labels, seconds', async () => {
    const answer = await (await serve({}))('/metrics');
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = (await answer.text()).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'antenna_worker_posted_total 7',
        'antenna_worker_post_retries_total 0',
        'antenna_worker_held_tasks 5',
        'antenna_worker_hold_target_tasks{bound="lease"} 16',
        'antenna_worker_state{state="running"} 1',
        'antenna_worker_task_mean_seconds{pipeline="moths"} 0.15',
        'antenna_worker_batch_limit_images{pipeline="moths"} 8',
        'antenna_worker_batch_cuts_total 0',
        'antenna_worker_stage_seconds{stage="post",quantile="0.95"} 0.25',
        'antenna_worker_stage_seconds_count{stage="post"} 1',
        'antenna_worker_spool_files 2',
      ]),
    );
    expect(lines.some((line) => line.startsWith('process_resident_memory_bytes '))).toBe(true);
    expect(lines.some((line) => line.startsWith('antenna_worker_task_sd_seconds{'))).toBe(false);
  });

  it('can be scraped again and again, and by two workers of one program', async () => {
    const [one, two] = [await serve({}), await serve({})];
    for (const get of [one, two, one])
      expect(await (await get('/metrics')).text()).toContain('antenna_worker_posted_total 7');
  });

  it('says what to install when prom-client is missing, at start if it was asked for', async () => {
    const missing = (): Promise<never> => Promise.reject(new Error("Cannot find package 'prom-client'"));
    await expect(loadPrometheus(true, missing)).rejects.toThrow(
      /metrics: needs .*run: npm install prom-client/,
    );
    expect(await loadPrometheus(false, missing)).toBeUndefined();
    const get = await serve({}, { metrics: false });
    const answer = await get('/metrics');
    expect([answer.status, await answer.text()]).toEqual([
      501,
      expect.stringContaining('install prom-client'),
    ]);
  });
});
