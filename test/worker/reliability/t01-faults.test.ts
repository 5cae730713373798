import type { FetchLike } from 'antenna-sdk';
import type { ContractServer } from 'antenna-sdk/testing';
import { describe, expect, it } from 'vitest';
import { accounted, anyImage, createRig, drive, driveUntil, modelOf, stopDriven } from './rig.js';

/** Ways in which one exchange can fail. */
const FAULTS: Readonly<Record<string, (server: ContractServer, after: number) => void>> = {
  'a 500 with HTML': (server, after) =>
    server.faults.answer({ status: 500, body: '<html>' }, { after, times: 1 }),
  'a reset before the request is handled': (server, after) => server.faults.resetBefore({ after, times: 1 }),
  'a reset after it was handled': (server, after) => server.faults.resetAfter({ after, times: 1 }),
  'an answer that never comes': (server, after) => server.faults.stallHeaders({}, { after, times: 1 }),
  'half a body': (server, after) => server.faults.truncateBody({}, { after, times: 1 }),
  'a 200 with HTML': (server, after) =>
    server.faults.answer({ status: 200, body: '<html>' }, { after, times: 1 }),
  'a 401': (server, after) =>
    server.faults.answer({ status: 401, body: { detail: 'Invalid API key.' } }, { after, times: 1 }),
  'a 429 with Retry-After': (server, after) =>
    server.faults.tooManyRequests({ retryAfter: 2 }, { after, times: 1 }),
};

describe('T1 whatever fails, the loop still polls', () => {
  describe.each(Object.entries(FAULTS))('%s', (_name, inject) => {
    it('at any request in turn costs no task', async () => {
      for (let index = 0; index < 12; index++) {
        const rig = createRig();
        const job = rig.job(10);
        inject(rig.server, index);
        const worker = rig.worker({ definition: { process: modelOf(rig.clock, 200) } });
        const report = await drive(rig.clock, worker.run({ until: 'drained', handleSignals: false }), {
          stepMs: 1_000,
        });
        rig.server.settle();
        expect(job.status, `fault at request ${index}`).toBe('SUCCESS');
        expect(job.counts.failed).toBe(0);
        expect(accounted(report)).toBe(report.taken);
      }
    });
  });

  it('at any download in turn costs no task', async () => {
    for (let index = 0; index < 8; index++) {
      const rig = createRig();
      const job = rig.job(6);
      let calls = 0;
      const flaky: FetchLike = async (input, init) => {
        if (calls++ === index) throw new TypeError('fetch failed');
        return anyImage(input, init);
      };
      const worker = rig.worker({ fetch: flaky });
      await drive(rig.clock, worker.run({ until: 'drained', handleSignals: false }), { stepMs: 1_000 });
      rig.server.settle();
      expect(job.counts).toMatchObject({ processed: 6, failed: 0 });
    }
  });

  it('throwing handlers, listeners, clocks of jitter and terminate hooks stop nothing', async () => {
    const rig = createRig();
    const job = rig.job(30);
    let calls = 0;
    const worker = rig.worker({
      definition: {
        process: () => {
          calls += 1;
          if (calls % 3 === 0) throw new Error('sometimes');
          return { detections: [] };
        },
      },
    });
    for (const name of ['state', 'reserved', 'task', 'posted', 'settled', 'empty', 'job_added'] as const)
      worker.on(name, () => {
        throw new Error('dashboard is down');
      });
    worker.on('downloaded', () => Promise.reject(new Error('asynchronous dashboard is down')) as never);
    worker.onTerminate(() => {
      throw new Error('hook is down');
    });
    const report = await drive(rig.clock, worker.run({ until: 'drained', handleSignals: false }));
    rig.server.settle();
    expect(job.status).toBe('SUCCESS');
    expect(accounted(report)).toBe(30);
  });

  it('goes on when the list of jobs fails for an hour and then works', async () => {
    const rig = createRig();
    const job = rig.job(5);
    const outage = rig.server.faults.outage({}, { route: 'jobs.list' });
    const worker = rig.worker();
    const running = worker.run({ handleSignals: false });
    await rig.clock.advance(3_600_000);
    expect(worker.state).toBe('running');
    outage.remove();
    await driveUntil(rig.clock, () => job.status === 'SUCCESS', 120_000);
    await stopDriven(rig, worker, running);
  });
});
