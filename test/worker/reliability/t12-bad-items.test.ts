import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accounted, createRig, drive, eventsOf, stopDriven } from './rig.js';

interface Posted {
  readonly results: readonly {
    readonly result: { readonly error?: string; readonly source_images?: readonly { readonly id: string }[] };
  }[];
}

describe('T12 the server refuses a whole post for one bad result', () => {
  it('exactly the bad ones are refused, with few posts, and their images are reported as failed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 50 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { maxLength: 6 }),
        async (count, picks) => {
          const bad = new Set(picks.filter((id) => id <= count).map(String));
          const rig = createRig({ latencyMs: 0 });
          const job = rig.job(count);
          let posts = 0;
          rig.server.faults.intervene(
            async (request, next) => {
              posts += 1;
              const { results } = JSON.parse(request.body) as Posted;
              const hasBad = results.some(({ result }) => bad.has(result.source_images?.[0]?.id ?? ''));
              if (!hasBad) return next();
              const headers = { 'content-type': 'application/json' };
              return { kind: 'answer', response: { status: 400, headers, body: '{"results":["bad"]}' } };
            },
            { route: 'result' },
          );
          const worker = rig.worker();
          const posted = eventsOf(worker, 'posted');
          const report = await drive(rig.clock, worker.run({ until: 'drained', handleSignals: false }), {
            stepMs: 1_000,
          });
          rig.server.settle();
          expect(job.counts).toMatchObject({ processed: count, failed: bad.size });
          expect(report).toMatchObject({ posted: count, failed: bad.size, dropped: 0 });
          expect(accounted(report)).toBe(count);
          const log = Math.ceil(Math.log2(Math.max(2, count)));
          // Tasks come in several parcels: each costs its own post, and each bad one that of its error result.
          expect(posts).toBeLessThanOrEqual(2 * bad.size * log + posted.length + bad.size);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('stops taking tasks of a job for which the server refuses even error results, and says so', async () => {
    const rig = createRig();
    const job = rig.job(40);
    rig.server.faults.answer({ status: 400, body: { results: ['another contract'] } }, { route: 'result' });
    const worker = rig.worker();
    const rejected = eventsOf(worker, 'job_rejected');
    const running = worker.run({ handleSignals: false });
    await rig.clock.advance(60_000);
    const delivered = job.ledger.total('delivered');
    await rig.clock.advance(300_000);
    expect(job.ledger.total('delivered')).toBe(delivered);
    expect(delivered).toBeLessThan(40);
    expect(rejected.length).toBeGreaterThan(0);
    const report = await stopDriven(rig, worker, running);
    expect(accounted(report)).toBe(report.taken);
    expect(report.dropped).toBe(report.taken);
  });
});
