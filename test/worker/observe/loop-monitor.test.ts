import { systemClock } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { InlineExecutor } from '../../../src/worker/executors/inline.js';
import { LoopMonitor, type LoopMonitorOptions } from '../../../src/worker/observe/loop-monitor.js';
import { ManualClock } from '../../support/manual-clock.js';
import { contextOf, imagesOf, listeningLogger } from '../executors/support.js';

function monitored(options: Partial<LoopMonitorOptions> = {}) {
  const clock = new ManualClock();
  const { logger, lines } = listeningLogger();
  const stalls: number[] = [];
  const onStall = ({ durationMs }: { durationMs: number }): void => {
    stalls.push(durationMs);
  };
  const monitor = new LoopMonitor({ clock, logger, onStall, ...options });
  monitor.start();
  return { monitor, clock, lines, stalls };
}

describe('the event loop’s delay', () => {
  it('is nobody’s business as long as timers are about on time', () => {
    const { clock, lines, stalls } = monitored();
    for (let beat = 0; beat < 50; beat++) clock.advance(100);
    clock.block(299);
    expect([lines, stalls]).toEqual([[], []]);
  });

  it('is a warning from 200 ms and an event from 1 s, with what to do', () => {
    const { clock, lines, stalls } = monitored();
    clock.block(300);
    expect(lines).toEqual([
      expect.stringMatching(/^warn the event loop stood still.*thread or process.*200/),
    ]);
    expect(stalls).toEqual([]);
    clock.block(1_099);
    clock.block(1_100);
    expect(stalls).toEqual([1_000]);
  });

  it('is a warning once a minute, with a count, though every image stalls the loop; every stall is an event', () => {
    const { clock, lines, stalls } = monitored();
    for (let image = 0; image < 50; image++) clock.block(1_500);
    expect(stalls).toHaveLength(50);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatch(/"count":\d\d/);
  });

  it('is remembered for 10 s, for health', () => {
    const { monitor, clock } = monitored();
    clock.block(1_600);
    clock.block(400);
    expect(monitor.recentDelayMs()).toBe(1_500);
    clock.advance(10_001);
    expect(monitor.recentDelayMs()).toBeLessThan(200);
  });

  it('is not watched any more after stop, and a second start adds no second timer', () => {
    const { monitor, clock, stalls } = monitored();
    monitor.start();
    expect(clock.pending).toBe(1);
    monitor.stop();
    expect(clock.pending).toBe(0);
    clock.block(5_000);
    expect(stalls).toEqual([]);
  });

  it('T7: an inline handler that computes for long is a stall', async () => {
    const { logger } = listeningLogger();
    const stall = new Promise<number>((resolve) => {
      const monitor = new LoopMonitor({
        clock: systemClock,
        logger,
        // A fiftieth of the real numbers.
        ...{ intervalMs: 2, warnMs: 4, stallMs: 20 },
        onStall: ({ durationMs }) => {
          monitor.stop();
          resolve(durationMs);
        },
      });
      monitor.start();
    });
    const executor = new InlineExecutor({
      process() {
        const until = performance.now() + 60;
        while (performance.now() < until);
        return { detections: [] };
      },
    });
    await new Promise((resolve) => setImmediate(resolve));
    await executor.run(imagesOf('a'), contextOf());
    expect(await stall).toBeGreaterThanOrEqual(20);
  });
});
