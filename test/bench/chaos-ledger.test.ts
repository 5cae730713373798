import fc from 'fast-check';
import type { ImageAccount } from 'antenna-sdk/testing';
import { describe, expect, it } from 'vitest';
import { FAULT_KINDS, pickFault } from '../../bench/chaos/faults.js';
import { balance, type ChaosFacts } from '../../bench/chaos/ledger.js';
import { memoryCourse } from '../../bench/chaos/memory.js';
import { seeded } from '../../bench/chaos/random.js';
import { FULL } from '../../bench/chaos/settings.js';

const done: ImageAccount = { deliveries: 1, posted: 1, acknowledged: 1, saveFailures: 0, outcome: 'success' };

/** A run of a hundred tasks in which nothing went wrong. */
function facts(changes: Partial<ChaosFacts> = {}): ChaosFacts {
  const ids = Array.from({ length: 100 }, (_, index) => String(index + 1));
  return {
    tasks: 100,
    maxDeliveries: 5,
    accounts: new Map(ids.map((id) => [id, done])),
    counted: 100,
    runs: new Map(ids.map((id) => [id, { started: 1, ended: 1 }])),
    lostDeliveries: new Map(),
    unhandled: [],
    spool: { waiting: 0, bad: 0, dead: 0, deadAndUncounted: [] },
    badEnds: [],
    timedOut: false,
    ...changes,
  };
}

function withAccount(id: string, account: Partial<ImageAccount>): ChaosFacts['accounts'] {
  return new Map([...facts().accounts, [id, { ...done, ...account }]]);
}

function withRuns(id: string, started: number, ended: number): ChaosFacts['runs'] {
  return new Map([...facts().runs, [id, { started, ended }]]);
}

describe('the ledger of a chaos run', () => {
  it('finds nothing wrong with a run in which every task was done once', () => {
    const ledger = balance(facts());
    expect(ledger).toMatchObject({ succeeded: 100, errors: 0, dead: [], lost: [], duplicates: 0, cutOff: 0 });
    expect(ledger.findings).toEqual([]);
  });

  it.each<[string, Partial<ChaosFacts>, RegExp]>([
    [
      'a task without an outcome',
      { accounts: withAccount('7', { outcome: null }), counted: 99 },
      /1 tasks lost: images 7/,
    ],
    [
      'a task that was never delivered',
      { accounts: new Map([...facts().accounts].slice(1)), counted: 99 },
      /99 of 100 tasks/,
    ],
    ['an outcome counted twice', { counted: 101 }, /101 outcomes counted for 100/],
    [
      'an error for a passing fault',
      { accounts: withAccount('7', { outcome: 'error' }) },
      /before the last delivery/,
    ],
    ['a success without a handler call', { runs: withRuns('7', 0, 0) }, /no handler call/],
    ['too much double work', { runs: withRuns('7', 7, 7) }, /6 handler runs too many: 6\.0 %/],
    ['an unhandled rejection', { unhandled: ['rejection: Error: boom'] }, /boom/],
    ['a file left in a spool', { spool: { ...facts().spool, waiting: 1 } }, /1 files left/],
    ['a torn spool file', { spool: { ...facts().spool, bad: 1 } }, /could not be read/],
    [
      'a result buried',
      { spool: { ...facts().spool, dead: 1, deadAndUncounted: ['7'] } },
      /not counted: images 7/,
    ],
    ['a worker that does not stop', { badEnds: ['worker-1 (never)'] }, /worker-1/],
    ['a run that does not end', { timedOut: true }, /did not end in time/],
  ])('finds %s', (_, changes, expected) => {
    const { findings } = balance(facts(changes));
    expect(findings.join('\n')).toMatch(expected);
  });

  it('tells a task whose deliveries are used up from a lost one, with what became of them', () => {
    const accounts = withAccount('7', { outcome: null, deliveries: 5 });
    const ledger = balance(facts({ accounts, counted: 99, lostDeliveries: new Map([['7', 2]]) }));
    expect(ledger.findings).toEqual([]);
    expect(ledger.dead).toEqual([
      'image 7: 5 deliveries, 2 of them answers lost on the way, 3 with a worker that was killed or let it lapse',
    ]);
  });

  it('counts handler runs that a kill cut off as work done twice', () => {
    const ledger = balance(facts({ runs: withRuns('7', 2, 1) }));
    expect(ledger).toMatchObject({ duplicates: 1, cutOff: 1, findings: [] });
  });
});

describe('the faults of a chaos run', () => {
  it('come in the shares that were asked for', () => {
    const random = seeded(5);
    const hits = new Map<string, number>();
    const draws = 200_000;
    for (let draw = 0; draw < draws; draw++) {
      const kind = pickFault(random(), FULL.api) ?? 'none';
      hits.set(kind, (hits.get(kind) ?? 0) + 1);
    }
    const share = (word: string): number =>
      [...hits].reduce((sum, [kind, count]) => sum + (kind.includes(word) ? count : 0), 0) / draws;
    expect(share('answered')).toBeCloseTo(0.1, 2);
    expect(share('reset') + share('truncated')).toBeCloseTo(0.05, 2);
    expect(share('stalled')).toBeCloseTo(0.05, 2);
    expect([...hits.keys()].sort()).toEqual([...FAULT_KINDS, 'none'].sort());
  });

  it('are the same for the same seed', () => {
    const [one, two] = [seeded(7), seeded(7)];
    for (let draw = 0; draw < 100; draw++) expect(one()).toBe(two());
  });
});

describe('the course of memory', () => {
  const minute = (rssOf: (second: number) => number) =>
    Array.from({ length: 60 }, (_, second) => ({ at: second * 1_000, rss: rssOf(second) }));

  it('sees a leak as a slope and a ratio, and leaves out the start', () => {
    const course = memoryCourse(minute((second) => (second < 6 ? 1_000 : 100 + second)));
    expect(course?.slopePerMinute).toBeCloseTo(60, 5);
    expect(course?.ratio).toBeGreaterThan(1.25);
    expect(course?.highest).toBe(1_000);
  });

  it('calls a heap flat that shrinks when nothing happens and grows back', () => {
    const course = memoryCourse(minute((second) => 100 - ((second * 7) % 35)));
    expect(course?.ratio).toBeCloseTo(1, 1);
  });

  it('calls noise flat', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 }), (seed) => {
        const random = seeded(seed);
        const course = memoryCourse(minute(() => 100 + random()));
        expect(course?.ratio).toBeCloseTo(1, 1);
      }),
    );
  });

  it('says nothing about a process that lived too shortly', () => {
    expect(memoryCourse(minute(() => 1).slice(0, 9))).toBeUndefined();
  });
});
