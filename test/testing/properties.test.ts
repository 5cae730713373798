import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JobHandle } from '../../src/testing/index.js';
import { createWorld, failure, post, success, take } from './helpers.js';
import type { Task, World } from './helpers.js';

/** Something a fleet of workers, or the world around it, can do. */
type Step =
  | { readonly do: 'reserve'; readonly batchSize: number }
  | { readonly do: 'post'; readonly which: number; readonly how: 'success' | 'error' | 'save-failure' }
  | { readonly do: 'lose'; readonly which: number; readonly how: 'no-image-id' | 'no-source-image' }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'storm' }
  | { readonly do: 'foreign-subject'; readonly which: number }
  | { readonly do: 'cancel' };

/** Any delivery ever made may be answered: at once, late, twice, or never (a crash). */
const which = fc.nat({ max: 30 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({ do: fc.constant('reserve' as const), batchSize: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 26,
    arbitrary: fc.record({
      do: fc.constant('post' as const),
      which,
      how: fc.constantFrom('success' as const, 'success' as const, 'error' as const, 'save-failure' as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('lose' as const),
      which,
      how: fc.constantFrom('no-image-id' as const, 'no-source-image' as const),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 40_000 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('storm' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('foreign-subject' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const) }) },
);

const scenario = fc.record({
  dialect: fc.constantFrom('api-key' as const, 'token' as const),
  images: fc.integer({ min: 1, max: 8 }),
  maxDeliveries: fc.integer({ min: 1, max: 3 }),
  maxOutstanding: fc.integer({ min: 1, max: 6 }),
  saveDelayMs: fc.constantFrom(0, 0, 7000),
  steps: fc.array(step, { minLength: 5, maxLength: 40 }),
});

type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never;

interface Run {
  readonly world: World;
  readonly job: JobHandle;
  /** Every delivery the server ever made, in order. */
  readonly deliveries: Task[];
  readonly scenario: Scenario;
}

async function perform(run: Run, current: Step): Promise<void> {
  const { world, job, deliveries } = run;
  const pick = (index: number): Task | undefined => deliveries[index % Math.max(1, deliveries.length)];
  if (current.do === 'reserve') {
    deliveries.push(...(await take(world.call, job.id, current.batchSize)));
  } else if (current.do === 'wait') {
    await world.clock.advance(current.ms);
  } else if (current.do === 'storm') {
    job.expireLeases();
  } else if (current.do === 'cancel') {
    job.cancel();
  } else {
    const task = pick(current.which);
    if (task) await answer(run, current, task);
  }
}

async function answer(run: Run, current: Step, task: Task): Promise<void> {
  const { world, job } = run;
  if (current.do === 'foreign-subject') {
    await post(world.call, job.id, success({ ...task, reply_subject: 'elsewhere' }));
  } else if (current.do === 'lose') {
    const lost = current.how === 'no-image-id' ? { error: 'no id' } : undefined;
    const item = lost
      ? { reply_subject: task.reply_subject, result: lost }
      : success(task, [], { source_images: [] });
    await post(world.call, job.id, item);
  } else if (current.do === 'post') {
    // An unregistered algorithm is accepted with 200 and fails to save later.
    const broken = {
      detections: [
        { ...(success(task) as Success).result.detections[0], algorithm: { name: 'x', key: 'x' } },
      ],
    };
    if (current.how === 'save-failure') await post(world.call, job.id, success(task, [5], broken));
    else await post(world.call, job.id, current.how === 'success' ? success(task) : failure(task));
  }
}

interface Success {
  readonly result: { readonly detections: readonly Record<string, unknown>[] };
}

function checkDeliveries({ job, scenario: { maxDeliveries } }: Run): void {
  for (const [id, account] of job.ledger.images) {
    expect(account.deliveries, `deliveries of ${id}`).toBeLessThanOrEqual(maxDeliveries);
    const kinds = job.ledger.eventsOf(id).map((event) => event.kind);
    const acknowledgedAt = kinds.indexOf('acknowledged');
    if (acknowledgedAt === -1) continue;
    expect(kinds.slice(acknowledgedAt), `${id} after its acknowledgement`).not.toContain('delivered');
  }
}

function checkQueue({ job, scenario: { images, maxOutstanding } }: Run): void {
  const { queue } = job;
  if (!queue) return;
  expect(queue.waiting + queue.outstanding + queue.acknowledged + queue.exhausted).toBe(images);
  expect(queue.outstanding).toBeLessThanOrEqual(maxOutstanding);
}

function checkProgress({ job, scenario: { images, dialect } }: Run): void {
  const { progress, counts } = job;
  for (const { progress: value } of [progress.summary, ...progress.stages]) {
    expect(value).toBeGreaterThanOrEqual(0);
    expect(value).toBeLessThanOrEqual(1);
  }
  const process = progress.stages.find((stage) => stage.key === 'process');
  const remaining = process?.params.find((param) => param.key === 'remaining')?.value;
  if (typeof remaining === 'number') expect(counts.processed + remaining).toBe(images);
  expect(counts.total).toBe(images);
  expect(counts.failed).toBeLessThanOrEqual(images);
  if (dialect === 'token') {
    const saved = [...job.ledger.images.values()].filter((account) => account.outcome === 'success').length;
    expect(counts.captures).toBe(saved);
    expect(counts.detections).toBe(saved);
  }
  if (job.queue) expect(job.ledger.total('counted') + job.pendingImageIds.length).toBe(images);
}

async function play(current: Scenario): Promise<Run> {
  const { dialect, maxDeliveries, maxOutstanding, saveDelayMs } = current;
  const world = createWorld({
    dialect,
    maxDeliveries,
    maxOutstanding,
    saveDelayMs,
    visibilityTimeoutMs: 30_000,
    reaper: false,
  });
  const job = world.project.job({ pipeline: world.pipeline, images: current.images });
  const run: Run = { world, job, deliveries: [], scenario: current };
  for (const next of current.steps) {
    await perform(run, next);
    checkDeliveries(run);
    checkQueue(run);
    checkProgress(run);
  }
  world.server.settle();
  checkProgress(run);
  return run;
}

/** Well-behaved workers from here on: whatever is still served is processed. */
async function drain({ world, job, deliveries }: Run): Promise<void> {
  for (let round = 0; round < 40; round++) {
    await world.clock.advance(30_000);
    const tasks = await take(world.call, job.id, 100);
    deliveries.push(...tasks);
    for (const task of tasks) await post(world.call, job.id, success(task));
    world.server.settle();
    if (!job.queue || (job.queue.waiting === 0 && job.queue.outstanding === 0)) return;
  }
  throw new Error('The queue did not drain.');
}

describe('whatever workers do, in whatever order', () => {
  it('serves no task more often than the limit, loses none, keeps progress within 0 and 1, and its counts add up', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (current) => {
        await play(current);
      }),
      { numRuns: 150 },
    );
  }, 120_000);

  it('ends every job once workers behave, unless an image was thrown away or given up', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (current) => {
        const run = await play({ ...current, steps: current.steps.filter((one) => one.do !== 'cancel') });
        await drain(run);
        checkDeliveries(run);
        checkQueue(run);
        checkProgress(run);
        const { job } = run;
        const uncounted = [...job.ledger.images].filter(([, account]) => account.outcome === null);
        if (job.status === 'SUCCESS' || job.status === 'FAILURE') return;
        // Still running: every image without an outcome was acknowledged unseen, or its deliveries ran out, or (api-key,
        // above the failure threshold) the queue was deleted under it.
        const lost = uncounted.filter(
          ([, account]) => account.acknowledged > 0 || account.deliveries >= current.maxDeliveries,
        );
        expect(job.queue === null || lost.length === uncounted.length).toBe(true);
        expect(uncounted.length).toBeGreaterThan(0);
      }),
      { numRuns: 100 },
    );
  }, 120_000);
});
