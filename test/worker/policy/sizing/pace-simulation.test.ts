import { describe, expect, it } from 'vitest';
import { seeded } from '../../../../bench/chaos/random.js';
import { simulate, type SimulationOptions, type SimulationResult } from './pace-simulation.js';

const SLOW: Omit<SimulationOptions, 'workers' | 'rule' | 'random'> = {
  tasks: 1_200,
  leaseMs: 30_000,
  savedPerSecond: () => 6,
};

function run(
  options: Pick<SimulationOptions, 'workers' | 'rule'> & Partial<SimulationOptions>,
  seed = 1,
): SimulationResult {
  return simulate({ ...SLOW, random: seeded(seed), ...options });
}

/** Saved a second between two moments. */
function rate({ savedAt }: SimulationResult, fromMs: number, toMs: number): number {
  return savedAt.filter((atMs) => atMs >= fromMs && atMs < toMs).length / ((toMs - fromMs) / 1000);
}

describe('a server that saves six results a second, met by workers that compute a hundred (WORKER §3.10)', () => {
  it.each([
    { workers: 1, reserved: 3.43, computed: 1 },
    { workers: 2, reserved: 3.49, computed: 1.64 },
    { workers: 8, reserved: 3.46, computed: 2.6 },
  ])('doubles the work of $workers workers that do not look at it', ({ workers, reserved, computed }) => {
    const result = run({ workers, rule: 'none' });
    expect(result.reservedPerTask).toBeGreaterThan(0.85 * reserved);
    expect(result.reservedPerTask).toBeLessThan(1.15 * reserved);
    expect(result.computedPerTask).toBeGreaterThan(0.85 * computed);
    expect(result.computedPerTask).toBeLessThan(1.15 * computed);
  });

  it.each([1, 2, 8])('is met by %i workers that halve what they take when tasks come again', (workers) => {
    const result = run({ workers, rule: 'aimd' });
    expect(result.lost).toBe(0);
    expect(result.reservedPerTask).toBeLessThan(2.3);
    expect(result.reservedPerTask).toBeLessThan(run({ workers, rule: 'none' }).reservedPerTask / 1.4);
  });

  it.each(
    [1, 2, 8].flatMap((workers) => [
      { workers, leaseMs: 30_000, seed: 1 },
      { workers, leaseMs: 30_000, seed: 2 },
      { workers, leaseMs: 300_000, seed: 3 },
    ]),
  )('has each task done once by $workers workers that go at its pace, leases of $leaseMs ms', (given) => {
    const { workers, leaseMs, seed } = given;
    const result = run({ workers, rule: 'pace', tasks: 2_000, computedPerSecond: 300, leaseMs }, seed);
    expect(result.reservedPerTask).toBeLessThan(1.01);
    expect(result.computedPerTask).toBeLessThan(1.01);
    expect(result.endMs).toBeLessThan((1.03 * 2_000_000) / 6);
    expect(result.lost).toBe(0);
    expect(Math.max(...result.shares)).toBeLessThan(2 * Math.min(...result.shares));
    // Each worker looks every few seconds.
    expect(result.looks).toBeLessThan((workers * result.endMs) / 2_500);
  });

  it.each([
    { workers: 1, leaseMs: 30_000 },
    { workers: 8, leaseMs: 30_000 },
    { workers: 2, leaseMs: 300_000 },
  ])(
    'is followed within two leases when it saves four times faster: $workers workers, $leaseMs ms',
    (given) => {
      const changeMs = 100_000;
      const tasks = given.leaseMs === 30_000 ? 3_000 : 16_000;
      const faster = {
        savedPerSecond: (nowMs: number) => (nowMs < changeMs ? 6 : 24),
        computedPerSecond: 300,
      };
      const result = run({ ...given, rule: 'pace', tasks, ...faster });
      expect(rate(result, changeMs - 20_000, changeMs)).toBeCloseTo(6, 0);
      const followedMs = changeMs + 2 * given.leaseMs;
      expect(rate(result, followedMs, followedMs + 20_000)).toBeGreaterThan(0.95 * 24);
      expect(result.reservedPerTask).toBeLessThan(1.05);
    },
  );

  it('is found out when it becomes slow in the middle: one wave of repeats, and no more', () => {
    const slower = { savedPerSecond: (nowMs: number) => (nowMs < 40_000 ? 200 : 6), computedPerSecond: 60 };
    const result = run({ workers: 1, rule: 'pace', tasks: 4_000, ...slower });
    expect(result.lost).toBe(0);
    expect(result.maxDeliveries).toBeLessThanOrEqual(3);
    expect(result.reservedPerTask).toBeLessThan(1.3);
  });

  it('gets a result again whose saving failed, and no other', () => {
    const fails = (task: number, attempt: number) => task % 10 === 0 && attempt === 1;
    const result = run({ workers: 1, rule: 'pace', tasks: 600, fails });
    expect(result.lost).toBe(0);
    expect(result.computedPerTask).toBe(1);
    expect(result.reservedPerTask).toBeLessThan(1.15);
  });
});

describe('workers that are killed with tasks in hand', () => {
  it.each(
    [1, 3, 8].flatMap((workers) =>
      [10_000, 30_000, 300_000].flatMap((leaseMs) =>
        [1, 20, 300].map((computedPerSecond) => ({ workers, leaseMs, computedPerSecond })),
      ),
    ),
  )(
    'leave nothing behind that holds the others up: $workers workers, $leaseMs ms, $computedPerSecond a second',
    (given) => {
      const { workers, leaseMs, computedPerSecond } = given;
      const tasks = Math.min(6_000, Math.max(300, (computedPerSecond * workers * leaseMs) / 250));
      const trouble = { killEveryMs: leaseMs, lostAnswers: 0.02, maxDeliveries: 50 };
      const common = { ...given, ...trouble, tasks, savedPerSecond: () => 10_000 };
      const seeds = [1, 2, 3, 4, 5];
      const careless = seeds.map((seed) => run({ ...common, rule: 'none' }, seed).endMs);
      const paced = seeds.map((seed) => run({ ...common, rule: 'pace' }, seed));
      expect(paced.map(({ lost }) => lost)).toEqual([0, 0, 0, 0, 0]);
      // A lease at the end is one draw for either: whose answer was lost last.
      const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
      expect(sum(paced.map(({ endMs }) => endMs))).toBeLessThan(1.4 * sum(careless) + leaseMs);
    },
  );

  it('do not make a slow server faster than it is', () => {
    const result = run({ workers: 3, rule: 'pace', killEveryMs: 30_000 });
    expect(result.lost).toBe(0);
    expect(result.computedPerTask).toBeLessThan(1.1);
    expect(result.endMs).toBeLessThan((1.1 * 1_200_000) / 6);
  });
});

describe('a server that saves at once', () => {
  it.each([1, 2])('is asked a handful of times by %i workers, and loses next to nothing', (workers) => {
    const prompt = { tasks: 20_000, savedPerSecond: () => 10_000, computedPerSecond: 300 };
    const before = run({ workers, rule: 'none', ...prompt });
    const result = run({ workers, rule: 'pace', ...prompt });
    expect(result.endMs).toBeLessThan(1.02 * before.endMs);
    expect(result.looks).toBeLessThanOrEqual(5 * workers);
  });
});
