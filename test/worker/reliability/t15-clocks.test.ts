import { describe, expect, it } from 'vitest';
import { createRig, drive, driveUntil, eventsOf, modelOf } from './rig.js';

describe('T15 suspends and clocks that step', () => {
  it('after two minutes asleep the tasks in hand count as doubtful: nothing is dropped in haste, nothing is late in silence', async () => {
    const rig = createRig({ dialect: 'token', visibilityTimeoutMs: 30_000 });
    const job = rig.job(40);
    const worker = rig.worker({ leaseMs: 30_000, definition: { process: modelOf(rig.clock, 1_000) } });
    const jumps = eventsOf(worker, 'clock_jump');
    const late = eventsOf(worker, 'task_late');
    const running = worker.run({ until: 'drained', handleSignals: false });
    await driveUntil(rig.clock, () => (worker.held?.stages.processing ?? 0) > 2);
    // The monotonic clock stands still while the machine sleeps; the server's does not.
    rig.clock.step(120_000);
    job.expireLeases();
    await drive(rig.clock, running, { stepMs: 1_000 });
    rig.server.settle();
    expect(jumps).toHaveLength(1);
    expect(jumps[0]?.jumpMs).toBeCloseTo(120_000, -3);
    expect(late.length).toBeGreaterThanOrEqual(0);
    expect(job.status).toBe('SUCCESS');
    expect(job.counts.failed).toBe(0);
  });

  it('a wall clock that is set back an hour makes no lease look younger, and drops nothing', async () => {
    const rig = createRig({ dialect: 'token' });
    const job = rig.job(40);
    const worker = rig.worker({ definition: { process: modelOf(rig.clock, 1_000) } });
    const jumps = eventsOf(worker, 'clock_jump');
    const expired = eventsOf(worker, 'lease_expired');
    const running = worker.run({ until: 'drained', handleSignals: false });
    await driveUntil(rig.clock, () => (worker.held?.stages.processing ?? 0) > 2);
    rig.clock.step(-3_600_000);
    const report = await drive(rig.clock, running, { stepMs: 1_000 });
    rig.server.settle();
    expect(jumps).toHaveLength(1);
    expect(expired).toHaveLength(0);
    expect(report).toMatchObject({ taken: 40, posted: 40 });
    expect(job.status).toBe('SUCCESS');
  });
});
