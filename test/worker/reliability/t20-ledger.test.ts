import fc from 'fast-check';
import { PermanentTaskError, RetryableTaskError, type AntennaWorker } from 'antenna-sdk';
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
        const fates = new Map<string, string[]>();
        const start = (client = rig.client): AntennaWorker => {
          const worker = rig.worker({ definition: { process }, random, client });
          worker.on('settled', ({ imageId, fate }) => {
            fates.set(imageId, [...(fates.get(imageId) ?? []), fate]);
          });
          return worker;
        };
        const steady = start();
        const running = steady.run({ until: 'drained', handleSignals: false });
        // The other one is cut off in the middle, again and again, and comes back.
        const crashing = async (): Promise<void> => {
          for (let round = 0; round < 4; round++) {
            const worker = start(rig.anotherClient());
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
          if (account.outcome === null) {
            // Both deliveries gone without a result: each lost on the way to a worker, cut off with one, or left for the next.
            expect(account.deliveries).toBe(2);
            for (const fate of fates.get(imageId) ?? []) expect(['abandoned', 'lapsed']).toContain(fate);
          }
          const isBad = Number(imageId) % 17 === 0;
          if (account.outcome === 'error' && !isBad) {
            expect(account.deliveries).toBe(2);
            expect(errors.get(imageId)).toContain('out of memory');
          }
        }
        // Few are lost: but the answer with all that came a second time may be the one that is reset.
        expect(job.ledger.total('counted')).toBeGreaterThan(120);
      }),
      { numRuns: 8 },
    );
  }, 120_000);
});
