import { HandlerUnavailableError, type Executor } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { judge } from '../../src/worker/results/verdict.js';
import { createRig, drive, driveUntil, eventsOf, rigPipeline } from './reliability/rig.js';

/** An executor whose model may be away. */
function moodyExecutor(reason: () => string | undefined): Executor {
  return {
    kind: 'service',
    unavailable: reason,
    run: (batch) =>
      Promise.resolve(
        batch.map(() => {
          const why = reason();
          if (why !== undefined) return { ok: false, error: new HandlerUnavailableError(why) };
          return { ok: true, result: { detections: [] } };
        }),
      ),
    close: () => Promise.resolve(),
  };
}

describe('a pipeline whose model is away', () => {
  it('takes no task meanwhile, says so once, and goes on when it is back', async () => {
    const rig = createRig();
    const job = rig.job(6);
    let away: string | undefined = 'the service restarts';
    const worker = rig.worker({ definition: { executor: moodyExecutor(() => away) } });
    const closed = eventsOf(worker, 'pipeline_closed');
    const opened = eventsOf(worker, 'pipeline_opened');
    const reserved = eventsOf(worker, 'reserved');
    const run = worker.run({ handleSignals: false });
    await driveUntil(rig.clock, () => closed.length > 0);
    await rig.clock.advance(120_000);
    expect(reserved).toEqual([]);
    expect(closed).toEqual([{ pipeline: 'test-moths', reason: 'the service restarts' }]);
    const { status, live } = worker.health();
    expect({ status, live }).toEqual({ status: 'degraded', live: true });
    expect(worker.explain()).toContain('no tasks are taken for pipeline test-moths: the service restarts');
    away = undefined;
    await driveUntil(rig.clock, () => job.status === 'SUCCESS');
    expect(opened).toEqual([{ pipeline: 'test-moths' }]);
    expect(worker.health().status).toBe('ok');
    await drive(rig.clock, Promise.all([worker.stop(), run]));
    expect(reserved.reduce((sum, { count }) => sum + count, 0)).toBe(6);
  });

  it('fails no image, not even on its last delivery', () => {
    const error = new HandlerUnavailableError('away');
    expect([1, 5, undefined].map((delivery) => judge(error, delivery, 5))).toEqual([
      'let-lapse',
      'let-lapse',
      'let-lapse',
    ]);
  });

  it('does not keep the jobs of other pipelines waiting', async () => {
    const rig = createRig();
    const [stuck, well] = [rig.job(4), rig.job(4, 'other-moths')];
    const worker = rig.worker({
      pipelines: [
        rigPipeline('test-moths', { executor: moodyExecutor(() => 'gone') }),
        rigPipeline('other-moths', { executor: moodyExecutor(() => undefined) }),
      ],
    });
    const run = worker.run({ handleSignals: false });
    await driveUntil(rig.clock, () => well.status === 'SUCCESS');
    await drive(rig.clock, Promise.all([worker.stop(), run]));
    expect(stuck.counts).toMatchObject({ processed: 0, failed: 0 });
  });
});
