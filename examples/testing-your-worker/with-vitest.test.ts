import { describe, expect, it } from 'vitest';
import { createWorld } from './world.js';

describe('my worker', () => {
  it('finds the insect in every image and finishes the job', async () => {
    const { clock, job, drawn, newWorker } = createWorld();
    await clock.runUntil(newWorker().run({ until: 'drained' }));
    expect(job.status).toBe('SUCCESS');
    expect(job.counts).toMatchObject({ processed: 4, failed: 0, detections: 4 });
    for (const [index, imageId] of job.imageIds.entries()) {
      expect(job.detections(imageId)[0]?.bbox).toEqual(drawn[index]?.insects[0]);
    }
  });

  it('loses nothing when an answer with reserved tasks is lost: they come again after their timeout', async () => {
    const { clock, server, job, newWorker } = createWorld();
    server.faults.loseReservedTasks({ times: 1 });
    await clock.runUntil(newWorker().run({ until: 'drained' }));
    expect(job.status).toBe('SUCCESS');
    expect(job.ledger.total('expired')).toBeGreaterThan(0);
    for (const [, account] of job.ledger.images) expect(account.outcome).toBe('success');
  });

  it('gets through an outage of the server', async () => {
    const { clock, server, job, newWorker } = createWorld();
    const running = newWorker().run({ until: 'drained' });
    const outage = server.faults.outage({}, { after: 3 });
    clock.schedule(60_000, () => {
      outage.remove();
    });
    await clock.runUntil(running);
    expect(outage.hits).toBeGreaterThan(0);
    expect(job.status).toBe('SUCCESS');
  });

  it('stops with a clear error when its key is revoked', async () => {
    const { clock, key, newWorker } = createWorld();
    key.revoke();
    await expect(clock.runUntil(newWorker().run())).rejects.toThrow(/Invalid API key/);
  });
});
