import fc from 'fast-check';
import { isFinal } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { accounted, createRig, drive, driveUntil, eventsOf, stopDriven, type Rig } from './rig.js';

type Task = Record<string, unknown>;

/** Has every answer of a route changed on its way. */
function alter(
  rig: Rig,
  route: 'tasks' | 'jobs.list',
  change: (body: Record<string, unknown>) => unknown,
): void {
  rig.server.faults.intervene(
    async (_request, next) => {
      const reply = await next();
      if (reply.kind !== 'answer') return reply;
      const body = JSON.stringify(change(JSON.parse(String(reply.response.body)) as Record<string, unknown>));
      const { 'content-length': _length, ...headers } = reply.response.headers;
      return { ...reply, response: { ...reply.response, headers, body } };
    },
    { route },
  );
}

const damageOf = (rig: Rig, damage: (task: Task) => unknown): void => {
  alter(rig, 'tasks', ({ tasks }) => ({
    tasks: (tasks as Task[]).map((task) => damage(task)),
  }));
};

const DAMAGES: readonly [name: string, damage: (task: Task) => unknown, answerable: boolean][] = [
  ['an empty image_url', (task) => ({ ...task, image_url: '' }), true],
  ['a null image_url', (task) => ({ ...task, image_url: null }), true],
  ['a configuration that is a text', (task) => ({ ...task, config: 'fast' }), true],
  ['no id of its own', (task) => ({ ...task, id: undefined }), true],
  ['no image_id', (task) => ({ ...task, image_id: null }), false],
  ['no reply_subject', (task) => ({ ...task, reply_subject: undefined }), false],
  ['nothing at all', () => null, false],
];

describe.each(['api-key', 'token'] as const)(
  'T21 one bad task of an answer, against an %s server',
  (dialect) => {
    it.each(DAMAGES.filter(([, , answerable]) => answerable))(
      'with %s gets an error result, the other 23 are worked on, and the job ends',
      async (_, damage) => {
        const rig = createRig({ dialect });
        const job = rig.job(24);
        const bad = job.imageIds[7];
        damageOf(rig, (task) => (task['image_id'] === bad ? damage(task) : task));
        const worker = rig.worker();
        const told = eventsOf(worker, 'left_out');
        const report = await drive(rig.clock, worker.run({ until: 'drained', handleSignals: false }));
        rig.server.settle();
        expect(job.counts).toMatchObject({ processed: 24, failed: 1 });
        expect(job.status).toBe('SUCCESS');
        expect(report).toMatchObject({ taken: 24, succeeded: 23, failed: 1, posted: 24, leftOut: 0 });
        expect(told).toMatchObject([{ what: 'task', jobId: job.id, answered: true }]);
        expect(job.ledger.total('delivered')).toBe(24);
      },
    );

    it.each(DAMAGES.filter(([, , answerable]) => !answerable))(
      'with %s is told of once, and left to the server',
      async (_, damage) => {
        const rig = createRig({ dialect });
        const job = rig.job(24);
        const bad = job.imageIds[7];
        damageOf(rig, (task) => (task['image_id'] === bad ? damage(task) : task));
        const worker = rig.worker();
        const told = eventsOf(worker, 'left_out');
        const running = worker.run({ handleSignals: false });
        await driveUntil(rig.clock, () => job.ledger.total('counted') === 23);
        // The bad one comes again until its deliveries are used up.
        await driveUntil(rig.clock, () => job.ledger.total('delivered') >= 25);
        await rig.clock.advance(2_000_000);
        const report = await stopDriven(rig, worker, running);
        rig.server.settle();
        expect(report).toMatchObject({ taken: 23, succeeded: 23, posted: 23, leftOut: 1 });
        expect(told).toMatchObject([{ what: 'task', jobId: job.id, answered: false }]);
        expect(worker.metrics().counters.leftOut).toBe(1);
        expect(JSON.stringify(told)).not.toContain('http');
      },
    );

    it('alone in its answer is answered too: a job of one image could not end without', async () => {
      const rig = createRig({ dialect });
      const job = rig.job(1);
      damageOf(rig, (task) => ({ ...task, image_url: '' }));
      const report = await drive(rig.clock, rig.worker().run({ until: 'drained', handleSignals: false }));
      rig.server.settle();
      expect(isFinal(job)).toBe(true);
      expect(job.counts).toMatchObject({ processed: 1, failed: 1 });
      expect(report).toMatchObject({ taken: 1, failed: 1, posted: 1 });
    });
  },
);

describe('T21 many bad tasks', () => {
  it('each ends in exactly one outcome, whatever is damaged', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.tuple(fc.nat(39), fc.nat(3)), { maxLength: 12 }),
        async (count, picks) => {
          const rig = createRig({ latencyMs: 0 });
          const job = rig.job(count);
          const kinds = new Map(picks.map(([index, kind]) => [job.imageIds[index % count], kind]));
          damageOf(rig, (task) => {
            const kind = kinds.get(String(task['image_id']));
            return kind === undefined ? task : DAMAGES[kind]?.[1](task);
          });
          const report = await drive(
            rig.clock,
            rig.worker().run({ until: 'drained', handleSignals: false }),
            {
              stepMs: 1_000,
            },
          );
          rig.server.settle();
          const bad = kinds.size;
          expect(accounted(report)).toBe(report.taken);
          // Beyond that the server gives up the job.
          if (2 * bad > count) return;
          expect(job.counts).toMatchObject({ processed: count, failed: bad });
          expect(isFinal(job)).toBe(true);
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe('T21 one bad job of a list', () => {
  it.each([
    ['an id that is no number', { id: 'uuid', pipeline_slug: 'test-moths' }],
    ['a slug of another type', { id: 99, pipeline_slug: 5 }],
    ['nothing in it', null],
  ])('with %s is told of once, and the others are worked on', async (_, bad) => {
    const rig = createRig();
    const job = rig.job(20);
    alter(rig, 'jobs.list', (body) => ({ ...body, results: [bad, ...(body['results'] as unknown[])] }));
    const worker = rig.worker();
    const told = eventsOf(worker, 'left_out');
    const running = worker.run({ handleSignals: false });
    await driveUntil(rig.clock, () => job.ledger.total('counted') > 0);
    expect(worker.health()).toMatchObject({ status: 'ok', ready: true });
    await driveUntil(rig.clock, () => job.ledger.total('counted') === 20);
    await rig.clock.advance(60_000);
    expect(told).toMatchObject([{ what: 'job', path: expect.stringMatching(/^results\.0/) as string }]);
    const stopping = worker.stop();
    expect(await drive(rig.clock, running)).toMatchObject({ posted: 20 });
    await stopping;
  });

  it('alone in the list is degraded at once, in words, and not logged at every poll', async () => {
    const rig = createRig();
    alter(rig, 'jobs.list', (body) => ({
      ...body,
      count: 1,
      results: [{ id: 'uuid', pipeline_slug: 'test-moths' }],
    }));
    const worker = rig.worker();
    const [told, errors] = [eventsOf(worker, 'left_out'), eventsOf(worker, 'error')];
    const running = worker.run({ handleSignals: false });
    await rig.clock.advance(30_000);
    expect(worker.health()).toMatchObject({ status: 'degraded', live: true, ready: false });
    expect(worker.health().checks.find(({ name }) => name === 'server')?.detail).toMatch(
      /listing.*results\.0\.id/,
    );
    expect([told.length, errors.length]).toEqual([1, 0]);
    await stopDriven(rig, worker, running);
  });

  it('of two projects, one that cannot be listed costs the other nothing', async () => {
    const rig = createRig();
    const job = rig.job(20);
    const other = rig.server.project({ name: 'Closed' });
    rig.server.faults.answer(
      { status: 403, body: { detail: 'no' } },
      {
        route: 'jobs.list',
        where: ({ query }) => new URLSearchParams(query).get('project') === String(other.id),
      },
    );
    const worker = rig.worker({ projects: [other.id, rig.project.id] });
    const running = worker.run({ handleSignals: false });
    await driveUntil(rig.clock, () => job.ledger.total('counted') === 20);
    await rig.clock.advance(60_000);
    const { status, ready, checks } = worker.health();
    // The rest of the work goes on, so the worker stays ready.
    expect({ status, ready }).toEqual({ status: 'degraded', ready: true });
    expect(checks.find(({ name }) => name === 'server')?.detail).toMatch(
      new RegExp(`listing \\(project ${other.id}\\) failed \\d+ times in a row`),
    );
    await stopDriven(rig, worker, running);
  });
});
