import { describe, expect, it } from 'vitest';
import { createRig, drive } from './rig.js';
import { sleep } from '../../../src/time/clock.js';

describe('T11 one slow task among quick ones', () => {
  it('holds nobody up: throughput stays above 90 % of the ideal', async () => {
    const rig = createRig({ dialect: 'token', latencyMs: 20 });
    const job = rig.job(1_200);
    const worker = rig.worker({
      concurrency: 4,
      definition: {
        process: async ({ id }) => {
          await sleep(rig.clock, id === '50' ? 30_000 : 100);
          return { detections: [] };
        },
      },
    });
    let doneAt = 0;
    worker.on('task', () => {
      doneAt = rig.clock.now();
    });
    const startedAt = rig.clock.now();
    await drive(rig.clock, worker.run({ until: 'drained', handleSignals: false }), { stepMs: 1_000 });
    rig.server.settle();
    expect(job.status).toBe('SUCCESS');
    // 1,199 tasks of 0.1 s and one of 30 s on four lanes.
    const idealMs = (1_199 * 100 + 30_000) / 4;
    expect(idealMs / (doneAt - startedAt)).toBeGreaterThanOrEqual(0.9);
  });
});
