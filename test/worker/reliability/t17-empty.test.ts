import type { JobHandle } from 'antenna-sdk/testing';
import { describe, expect, it } from 'vitest';
import { sleep } from '../../../src/time/clock.js';
import { createRig, drive, driveUntil, eventsOf, stopDriven, type Rig } from './rig.js';

/** An end to the cause. */
type End = () => void;

function noTasks(rig: Rig): End {
  const empty = rig.server.faults.answer({ body: { tasks: [] } }, { route: 'tasks' });
  return () => {
    empty.remove();
  };
}

/** The six reasons for an empty answer (WORKER §1), each with the means to end it. */
const CAUSES: Readonly<Record<string, (rig: Rig, job: JobHandle) => End>> = {
  'the job has not started': noTasks,
  'the job is inactive for a while': (_rig, job) => {
    job.forceStatus('PENDING');
    return () => job.forceStatus('STARTED');
  },
  'another worker holds all tasks': (rig, job) => {
    void rig.client.tasks.reserve(job.id, { batchSize: 5 });
    return () => job.expireLeases();
  },
  'a thousand tasks are outstanding': noTasks,
  'the queue fails in silence': noTasks,
  'the queue refuses connections': (rig) => {
    const outage = rig.server.faults.queueOutage({ hangMs: 5_000 });
    return () => {
      outage.remove();
    };
  },
};

describe('T17 an empty answer means nothing in particular', () => {
  it.each(Object.entries(CAUSES))(
    'because %s: the job is asked again, ever less often, and done in the end',
    async (_name, cause) => {
      const rig = createRig({ dialect: 'token' });
      const job = rig.job(5);
      const end = cause(rig, job);
      await rig.clock.advance(1_000);
      const worker = rig.worker();
      const running = worker.run({ handleSignals: false });
      await rig.clock.advance(20 * 60_000);
      const asked = rig.server.requests.filter(({ path }) => path.endsWith('/tasks/')).length;
      // 1, 2, 4, 8, 16 s, then every 30 s ± 25 %; after a refused connection full jitter, every 15 s and its own 5 s.
      expect(asked).toBeLessThanOrEqual(8 + (20 * 60) / 18);
      end();
      await driveUntil(rig.clock, () => job.status === 'SUCCESS', 10 * 60_000);
      await stopDriven(rig, worker, running);
    },
  );

  it('is not what the time says that a model takes to load: a drained run still does the work', async () => {
    const rig = createRig();
    const job = rig.job(5);
    const worker = rig.worker({ definition: { warmUp: () => sleep(rig.clock, 100_000) } });
    await drive(rig.clock, worker.run({ until: 'drained', handleSignals: false }));
    rig.server.settle();
    expect(job.status).toBe('SUCCESS');
  });

  it('picks up what a dead worker held within half a lease of its expiry', async () => {
    const rig = createRig();
    const job = rig.job(5);
    await drive(rig.clock, rig.client.tasks.reserve(job.id, { batchSize: 5 }));
    const worker = rig.worker();
    const reserved = eventsOf(worker, 'reserved');
    const running = worker.run({ handleSignals: false });
    await driveUntil(rig.clock, () => reserved.length > 0, 30_000 + 15_000 + 5_000);
    await stopDriven(rig, worker, running);
  });

  it('keeps the service online while idle, in both dialects', async () => {
    for (const dialect of ['token', 'api-key'] as const) {
      const rig = createRig({ dialect });
      const worker = rig.worker();
      const running = worker.run({ handleSignals: false });
      await rig.clock.advance(10 * 60_000);
      const route = dialect === 'token' ? /\/jobs\/$/ : /\/pipelines\/$/;
      const beats = rig.server.requests.filter(({ path }) => route.test(path)).length;
      expect(beats).toBeGreaterThanOrEqual(20);
      await stopDriven(rig, worker, running);
    }
  });

  it('keeps the service online during a long inference', async () => {
    const rig = createRig({ dialect: 'token' });
    rig.job(8);
    const worker = rig.worker({
      definition: { process: () => new Promise<never>(() => undefined) },
      processTimeoutMs: 200_000,
    });
    const running = worker.run({ handleSignals: false });
    await rig.clock.advance(30_000);
    const before = rig.server.requests.filter(({ path }) => path.endsWith('/jobs/')).length;
    await rig.clock.advance(150_000);
    const beats = rig.server.requests.filter(({ path }) => path.endsWith('/jobs/')).length - before;
    expect(beats).toBeGreaterThanOrEqual(6);
    await stopDriven(rig, worker, running, { graceMs: 0 });
  });
});
