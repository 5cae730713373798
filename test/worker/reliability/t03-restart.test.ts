import { describe, expect, it } from 'vitest';
import { createRig, drive, driveUntil, modelOf, stopDriven } from './rig.js';

describe('T3 start and stop, a hundred times', () => {
  it('never has two reservations at once, and polls again after every start', async () => {
    const rig = createRig({ latencyMs: 0 });
    const job = rig.job(100_000);
    let asking = 0;
    let most = 0;
    let polls = 0;
    rig.server.faults.intervene(
      async (_request, next) => {
        asking += 1;
        polls += 1;
        most = Math.max(most, asking);
        await new Promise<void>((resolve) => {
          rig.clock.schedule(40, resolve);
        });
        const reply = await next();
        asking -= 1;
        return reply;
      },
      { route: 'tasks' },
    );
    const worker = rig.worker({ definition: { process: modelOf(rig.clock, 30) }, maxHeld: 8 });
    for (let round = 0; round < 100; round++) {
      const before = polls;
      const running = worker.run({ handleSignals: false });
      // Stopped at another moment each time: while listing, reserving, working, backing off.
      await rig.clock.advance((round * 37) % 400);
      if (round % 3 === 0) await driveUntil(rig.clock, () => polls > before, 30_000);
      await stopDriven(rig, worker, running, { graceMs: round % 5 === 0 ? 0 : 5_000, stepMs: 50 });
      if (round % 2 === 0) await rig.clock.advance(200);
    }
    expect(most).toBe(1);
    const before = polls;
    const running = worker.run({ handleSignals: false });
    // What the stops left behind is out with nobody until its leases lapse, and holds nobody back until then.
    await rig.clock.advance(10_000);
    expect(polls).toBeGreaterThan(before + 5);
    await stopDriven(rig, worker, running);
    expect(worker.state).toBe('stopped');
    expect(job.ledger.total('counted')).toBeGreaterThan(0);
    expect(rig.clock.pending).toBeLessThan(5);
  });

  it('takes nothing while paused, finishes what it has, and goes on when resumed', async () => {
    const rig = createRig();
    const job = rig.job(400);
    const worker = rig.worker({ definition: { process: modelOf(rig.clock, 500) } });
    const running = worker.run({ handleSignals: false });
    await driveUntil(rig.clock, () => job.ledger.total('counted') > 5);
    worker.pause();
    await rig.clock.advance(30_000);
    const delivered = job.ledger.total('delivered');
    expect(worker.held?.count).toBe(0);
    await rig.clock.advance(300_000);
    expect(job.ledger.total('delivered')).toBe(delivered);
    worker.resume();
    await driveUntil(rig.clock, () => job.ledger.total('delivered') > delivered, 5_000);
    const draining = worker.drain();
    const report = await drive(rig.clock, running);
    await draining;
    expect(report).toMatchObject({ abandoned: 0, reason: 'stopped' });
  });
});
