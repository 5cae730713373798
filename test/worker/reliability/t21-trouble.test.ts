import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { AntennaWorker, FetchLike, PipelineDefinition } from 'antenna-sdk';
import { sleep } from '../../../src/time/clock.js';
import { anyImage, createRig, driveUntil, eventsOf, rigPipeline, stopDriven, type Rig } from './rig.js';

// Minutes of virtual time, dozens of times over.
vi.setConfig({ testTimeout: 120_000 });

const GOOD = 400;
const never = (): Promise<never> => new Promise<never>(() => undefined);

/** What is wrong with a job, its images or its handler. */
interface Trouble {
  readonly inject?: (rig: Rig, jobId: number) => void;
  /** Serves the images of the job's host. */
  readonly images?: (rig: Rig) => FetchLike;
  readonly process?: (rig: Rig) => PipelineDefinition['process'];
  /** What the worker should say of it after a minute, if it is trouble. */
  readonly says?: RegExp;
}

const onJob =
  (route: 'tasks' | 'result', status: number) =>
  (rig: Rig, jobId: number): void => {
    rig.server.faults.answer({ status, body: { detail: 'trouble' } }, onlyJob(route, jobId));
  };
const onlyJob = (route: 'tasks' | 'result', jobId: number) => ({
  route,
  where: ({ path }: { readonly path: string }) => path.includes(`/jobs/${jobId}/`),
});
const hang = (route: 'tasks' | 'result') => (rig: Rig, jobId: number) => {
  rig.server.faults.stallHeaders({}, onlyJob(route, jobId));
};

const TROUBLES: Readonly<Record<string, Trouble>> = {
  'its handler throws': {
    process: () => () => {
      throw new Error('model');
    },
    says: /pipeline bad-0: no handler call has succeeded for/,
  },
  'its posts are answered 400': { inject: onJob('result', 400) },
  'its posts are answered 500': {
    inject: onJob('result', 500),
    says: /job \d+: no results have been accepted/,
  },
  'its posts are answered 503': {
    inject: onJob('result', 503),
    says: /job \d+: no results have been accepted/,
  },
  'its posts are answered 429': {
    inject: onJob('result', 429),
    says: /job \d+: no results have been accepted/,
  },
  'its posts are answered 403': { inject: onJob('result', 403), says: /permission denied/ },
  'its posts hang': { inject: hang('result'), says: /job \d+: (a post|no results)/ },
  'its reservations are answered 403': { inject: onJob('tasks', 403) },
  'its reservations are answered 503': {
    inject: onJob('tasks', 503),
    says: /job \d+: no reservation has succeeded/,
  },
  'its reservations hang': { inject: hang('tasks'), says: /job \d+: (a reservation|no reservation)/ },
  'its images never come': {
    images: (rig) => (_input, init) => sleep(rig.clock, 1e9, init.signal).then(never),
    says: /job \d+: the images' host bad-0\.example has not (answered|delivered) for/,
  },
  'its images take longer than the patience for them': {
    images: (rig) => async (input, init) => {
      await sleep(rig.clock, 100_000, init.signal);
      return anyImage(input, init);
    },
    says: /the images' host bad-0\.example/,
  },
  'its images are answered 500': {
    images: () => () => Promise.resolve(new Response('', { status: 500 })),
    says: /the images' host bad-0\.example/,
  },
  'its images have 60 MB': {
    images: (rig) => async (_input, init) => {
      await sleep(rig.clock, 2_000, init.signal);
      return new Response(new Uint8Array(60 * 1024 * 1024), { headers: { 'content-type': 'image/jpeg' } });
    },
  },
  'its handler takes 15 s': {
    process: (rig) => async () => {
      await sleep(rig.clock, 15_000);
      return { detections: [] };
    },
  },
  'its handler never returns': {
    process: () => never,
    says: /pipeline bad-0: a handler call has been running/,
  },
};

/** A worker with a good job of its own pipeline, and so many in trouble, each with a pipeline and an image host of its own. */
function setUp(troubles: readonly Trouble[]): { rig: Rig; worker: AntennaWorker } {
  const rig = createRig({ latencyMs: 5 });
  const hosts = new Map(
    troubles.map(({ images }, index) => [`bad-${index}.example`, images?.(rig) ?? anyImage]),
  );
  const worker = rig.worker({
    pipelines: [
      rigPipeline('good', { process: () => ({ detections: [] }) }),
      ...troubles.map(({ process }, index) =>
        rigPipeline(`bad-${index}`, { process: process?.(rig) ?? (() => ({ detections: [] })) }),
      ),
    ],
    fetch: (input, init) => (hosts.get(new URL(input).host) ?? anyImage)(input, init),
  });
  return { rig, worker };
}

function badJob(rig: Rig, { inject }: Trouble, index: number): void {
  const images = Array.from({ length: 500 }, (_, image) => `http://bad-${index}.example/${image}.jpg`);
  const { id } = rig.job(images, `bad-${index}`);
  inject?.(rig, id);
}

/** Milliseconds of virtual time from the first sight of the good job to its last counted result. */
async function goodTime(rig: Rig, worker: AntennaWorker, maxMs: number): Promise<number> {
  const images = Array.from({ length: GOOD }, (_, image) => `http://good.example/${image}.jpg`);
  const added = eventsOf(worker, 'job_added');
  const job = rig.job(images, 'good');
  await driveUntil(rig.clock, () => added.some(({ jobId }) => jobId === job.id), 6_500);
  const seenAt = rig.clock.now();
  await driveUntil(rig.clock, () => job.ledger.total('counted') + job.results.length >= GOOD, maxMs);
  return rig.clock.now() - seenAt;
}

async function stop(rig: Rig, worker: AntennaWorker, running: Promise<unknown>): Promise<void> {
  await stopDriven(rig, worker, running, { graceMs: 0 });
}

async function alone(): Promise<number> {
  const { rig, worker } = setUp([]);
  const running = worker.run({ handleSignals: false });
  await rig.clock.advance(3_000);
  const ms = await goodTime(rig, worker, 60_000);
  await stop(rig, worker, running);
  return ms;
}

describe('T21 one job in trouble leaves the others their speed', () => {
  it.each(Object.entries(TROUBLES))('%s', async (_name, trouble) => {
    const aloneMs = await alone();
    const { rig, worker } = setUp([trouble]);
    badJob(rig, trouble, 0);
    const running = worker.run({ handleSignals: false });
    await rig.clock.advance(3_000);
    const ms = await goodTime(rig, worker, 40_000);
    expect(ms).toBeLessThanOrEqual(2 * aloneMs);
    if (trouble.says) {
      await rig.clock.advance(60_000);
      expect(worker.explain()).toMatch(trouble.says);
      const { status, ready, checks } = worker.health();
      expect(checks.find(({ name }) => name === 'jobs')?.detail).toMatch(trouble.says);
      expect([status, ready]).toEqual(['degraded', true]);
    }
    await stop(rig, worker, running);
  });

  it('in any mixture of several, also of those that were well before', async () => {
    const names = Object.keys(TROUBLES);
    const aloneMs = await alone();
    await fc.assert(
      fc.asyncProperty(fc.subarray(names, { minLength: 2, maxLength: 4 }), async (chosen) => {
        const troubles = chosen.map((name) => TROUBLES[name] ?? {});
        const { rig, worker } = setUp(troubles);
        troubles.forEach((trouble, index) => {
          badJob(rig, trouble, index);
        });
        const running = worker.run({ handleSignals: false });
        await rig.clock.advance(3_000);
        const ms = await goodTime(rig, worker, 60_000);
        expect(ms).toBeLessThanOrEqual(4 * aloneMs + 2_000);
        await stop(rig, worker, running);
      }),
      { numRuns: 12 },
    );
  });
});
