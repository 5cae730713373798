// node --import tsx examples/testing-your-worker/with-node-test.ts
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorld } from './world.js';

await test('finds the insect in every image and finishes the job', async () => {
  const { clock, job, drawn, newWorker } = createWorld();
  await clock.runUntil(newWorker().run({ until: 'drained' }));
  assert.equal(job.status, 'SUCCESS');
  assert.equal(job.counts.detections, drawn.length);
});

await test('loses nothing when an answer with reserved tasks is lost', async () => {
  const { clock, server, job, newWorker } = createWorld();
  server.faults.loseReservedTasks({ times: 1 });
  await clock.runUntil(newWorker().run({ until: 'drained' }));
  assert.equal(job.status, 'SUCCESS');
  assert.ok(job.ledger.total('expired') > 0);
});

await test('gets through an outage of the server', async () => {
  const { clock, server, job, newWorker } = createWorld();
  const running = newWorker().run({ until: 'drained' });
  const outage = server.faults.outage({}, { after: 3 });
  clock.schedule(60_000, () => {
    outage.remove();
  });
  await clock.runUntil(running);
  assert.ok(outage.hits > 0);
  assert.equal(job.status, 'SUCCESS');
});

await test('stops with a clear error when its key is revoked', async () => {
  const { clock, key, newWorker } = createWorld();
  key.revoke();
  await assert.rejects(clock.runUntil(newWorker().run()), /Invalid API key/);
});
