import fc from 'fast-check';
import { PermanentTaskError, RetryableTaskError } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { sleep } from '../../../src/time/clock.js';
import { createRig, drive } from './rig.js';

describe('T20 two workers, chaos, and a ledger', () => {
  it('every task is accepted or dead with a reason, and error results mean a permanent cause or the last delivery', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 30 }), async (seed) => {
        const rig = createRig({ dialect: 'token', seed, saveDelayMs: 300 });
        const job = rig.job(200);
        let state = seed;
        const random = (): number => {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
          return state / 2 ** 32;
        };
        rig.server.faults.answer({ status: 502, body: '<html>' }, { probability: 0.1 });
        rig.server.faults.resetBefore({ probability: 0.05 });
        rig.server.faults.resetAfter({ probability: 0.05 });
        rig.server.faults.stallHeaders({}, { probability: 0.03, route: 'result' });
        const process = async ({ id }: { id: string }) => {
          await sleep(rig.clock, 100 + random() * 900);
          if (Number(id) % 17 === 0) throw new PermanentTaskError('not an image');
          if (random() < 0.05) throw new RetryableTaskError('out of memory');
          return { detections: [] };
        };
        const options = { definition: { process }, random };
        const steady = rig.worker(options);
        const running = steady.run({ until: 'drained', handleSignals: false });
        // The other one is cut off in the middle, again and again, and comes back.
        const crashing = async (): Promise<void> => {
          for (let round = 0; round < 4; round++) {
            const worker = rig.worker({ ...options, client: rig.anotherClient() });
            const work = worker.run({ handleSignals: false });
            await sleep(rig.clock, 5_000 + random() * 20_000);
            await worker.stop({ graceMs: 0 });
            await work;
          }
        };
        await drive(rig.clock, Promise.all([running, crashing()]), { maxMs: 24 * 3_600_000, stepMs: 2_000 });
        rig.server.settle();
        const errors = new Map<string, string>();
        for (const { result, imageIds } of job.results)
          if ('error' in result) errors.set(imageIds[0] ?? '', JSON.stringify(result));
        for (const [imageId, account] of job.ledger.images) {
          expect(account.deliveries, imageId).toBeLessThanOrEqual(2);
          // Both deliveries gone without a result: lost on the way or cut off with a worker, never in silence at ours.
          if (account.outcome === null) expect(account.deliveries).toBe(2);
          const isBad = Number(imageId) % 17 === 0;
          if (account.outcome === 'error' && !isBad) {
            expect(account.deliveries).toBe(2);
            expect(errors.get(imageId)).toContain('out of memory');
          }
        }
        const counted = job.ledger.total('counted');
        expect(counted).toBeGreaterThan(170);
      }),
      { numRuns: 8 },
    );
  }, 120_000);
});
