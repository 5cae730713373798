import { describe, expect, it } from 'vitest';
import { createRig, eventsOf, modelOf, stopDriven } from './rig.js';

describe('T18 eight hours', () => {
  it('leave no timers, no listeners and no memory behind', async () => {
    const rig = createRig({ dialect: 'token', ledgerLimit: 1_000, resultLimit: 100, requestLimit: 100 });
    rig.job(1_000_000);
    const worker = rig.worker({ definition: { process: modelOf(rig.clock, 20_000) }, concurrency: 1 });
    const signals = process.listenerCount('SIGTERM');
    const running = worker.run();
    const timers: number[] = [];
    const heaps: number[] = [];
    const states = eventsOf(worker, 'state');
    for (let hour = 0; hour < 8; hour++) {
      await rig.clock.advance(3_600_000);
      timers.push(rig.clock.pending);
      global.gc?.();
      heaps.push(process.memoryUsage().heapUsed);
    }
    const report = await stopDriven(rig, worker, running);
    expect(report.posted).toBeGreaterThan(1_300);
    expect(Math.max(...timers)).toBeLessThan(60);
    expect((timers.at(-1) ?? 0) - (timers[1] ?? 0)).toBeLessThan(20);
    expect(process.listenerCount('SIGTERM')).toBe(signals);
    expect(states).toHaveLength(4);
    // Without a way to collect garbage the heap says little; growth without end it still shows.
    expect((heaps.at(-1) ?? 0) / (heaps[1] ?? 1)).toBeLessThan(2);
    expect(rig.clock.pending).toBeLessThan(5);
  }, 120_000);
});
