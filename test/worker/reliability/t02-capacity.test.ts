import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PermanentTaskError, RetryableTaskError, type Executor, type FetchLike } from 'antenna-sdk';
import { sleep } from '../../../src/time/clock.js';
import { accounted, anyImage, createRig, drive, driveUntil, eventsOf } from './rig.js';

describe('T2 capacity never leaks', () => {
  it('is what the set of held tasks leaves, through thousands of random turns, and all of it at the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 30 }), async (seed) => {
        const rig = createRig({ seed, dialect: 'token' });
        const job = rig.job(150);
        let state = seed;
        const random = (): number => {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
          return state / 2 ** 32;
        };
        rig.server.faults.answer({ status: 502, body: '<html>' }, { probability: 0.1 });
        rig.server.faults.resetAfter({ probability: 0.05 });
        const maxHeld = 1 + Math.floor(random() * 40);
        const worker = rig.worker({
          maxHeld,
          random,
          fetch: (input, init) => {
            if (random() < 0.1) return Promise.reject(new TypeError('fetch failed'));
            if (random() < 0.05) return Promise.resolve(new Response('gone', { status: 404 }));
            return anyImage(input, init);
          },
          definition: {
            process: () => {
              const dice = random();
              if (dice < 0.1) throw new Error('handler');
              if (dice < 0.15) throw new RetryableTaskError('later');
              if (dice < 0.2) throw new PermanentTaskError('never');
              if (dice < 0.25) return { detections: 'none' } as never;
              return { detections: [] };
            },
          },
        });
        let mostHeld = 0;
        let settled = 0;
        worker.on('reserved', () => {
          mostHeld = Math.max(mostHeld, worker.held?.count ?? 0);
        });
        worker.on('settled', () => {
          settled += 1;
          if (random() < 0.1) throw new Error('listener');
        });
        const report = await drive(rig.clock, worker.run({ until: 'drained', handleSignals: false }), {
          maxMs: 20 * 3_600_000,
          stepMs: 5_000,
        });
        rig.server.settle();
        expect(worker.held?.count).toBe(0);
        expect(mostHeld).toBeLessThanOrEqual(maxHeld);
        expect(settled).toBe(report.taken);
        expect(accounted(report)).toBe(report.taken);
        for (const [, { outcome, deliveries }] of job.ledger.images) {
          expect(deliveries).toBeLessThanOrEqual(2);
          // A reservation whose answer is lost twice leaves an image that no worker has ever seen.
          if (outcome === null) expect(deliveries).toBe(2);
        }
      }),
      { numRuns: 15 },
    );
  });

  it('is given back by an executor that never ends a call, whose images get the error', async () => {
    const rig = createRig({ dialect: 'token' });
    const job = rig.job(3);
    const stuck: AbortSignal[] = [];
    const executor: Executor = {
      kind: 'process',
      run: (_batch, { signal }) => {
        stuck.push(signal);
        return new Promise(() => undefined);
      },
      close: () => Promise.resolve(),
    };
    const worker = rig.worker({ concurrency: 1, processTimeoutMs: 5_000, definition: { executor } });
    const report = await drive(rig.clock, worker.run({ until: 'drained', handleSignals: false }), {
      maxMs: 20 * 3_600_000,
      stepMs: 5_000,
    });
    rig.server.settle();
    expect([report.failed, accounted(report)]).toEqual([3, report.taken]);
    expect([...job.ledger.images.values()].map(({ outcome }) => outcome)).toEqual(Array(3).fill('error'));
    // Told when it was given up: what still runs in the background can end.
    expect(stuck.map(({ aborted }) => aborted)).toEqual(Array(3).fill(true));
  });

  it('lets a download begin that waited for the memory of an image which is dropped', async () => {
    const rig = createRig();
    const { clock } = rig;
    rig.job(60);
    const started: string[] = [];
    let isSlow = false;
    const fetch: FetchLike = async (input, init) => {
      started.push(input);
      const isLarge = isSlow;
      isSlow = false;
      // Longer than its lease: it is dropped when it is in memory.
      if (isLarge) await sleep(clock, 31_000, init.signal);
      return new Response(Buffer.alloc(isLarge ? 950 : 100, 1));
    };
    const worker = rig.worker({
      fetch,
      imageBudgetBytes: 1_000,
      maxHeld: 2,
      downloadConcurrency: 1,
      download: { timeoutMs: 60_000 },
      definition: { warmUp: () => 100 },
    });
    const dropped = eventsOf(worker, 'lease_expired');
    const running = worker.run({ handleSignals: false });
    // Sixty small images teach that one more fits.
    await driveUntil(clock, () => started.length === 60 && worker.held?.count === 0);
    isSlow = true;
    const first = rig.job(1);
    await driveUntil(clock, () => started.length === 61);
    await clock.advance(10_000);
    const second = rig.job(1);
    await driveUntil(clock, () => worker.held?.count === 2);
    // Another worker takes what comes again, so that no redelivery wakes this one.
    const rival = rig.anotherClient();
    await driveUntil(clock, () => {
      for (const job of [first, second])
        rival.tasks.reserve(job.id, { batchSize: 9 }, { retries: 0 }).catch(() => undefined);
      return dropped.length > 0;
    });
    await clock.advance(1);
    expect(started).toHaveLength(62);
    await drive(clock, Promise.all([running, worker.stop({ graceMs: 0 })]));
  });
});
