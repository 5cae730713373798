import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextLane, type LaneClaim } from '../../../../src/worker/policy/shares/lanes.js';
import { PostSlots } from '../../../../src/worker/policy/shares/post-slots.js';
import { MAX_RESERVATIONS, Reservations } from '../../../../src/worker/policy/shares/reservations.js';
import {
  ceilingOf,
  lastShare,
  roomFor,
  type RoomFacts,
  type Standing,
} from '../../../../src/worker/policy/shares/shares.js';
import { Troubles, type Trouble } from '../../../../src/worker/policy/shares/troubles.js';

const count = (max: number) => fc.integer({ min: 0, max });
const positive = (max: number) => fc.integer({ min: 1, max });
const factsArb: fc.Arbitrary<RoomFacts> = fc.record({
  target: positive(300),
  most: count(300),
  batch: positive(32),
  threshold: positive(20),
  moving: count(300),
  expected: count(300),
  own: count(300),
  ceiling: positive(300),
  held: count(300),
  asked: count(300),
  maxHeld: positive(300),
  maxBatch: positive(64),
  cold: fc.boolean(),
  lanes: positive(8),
});

describe('roomFor', () => {
  it('never lets the sum, a ceiling or a request be exceeded', () => {
    fc.assert(
      fc.property(factsArb, (facts) => {
        const room = roomFor(facts);
        expect(room).toBeGreaterThanOrEqual(0);
        if (room === 0) return;
        expect(facts.held + facts.asked + room).toBeLessThanOrEqual(facts.maxHeld);
        expect(facts.own + room).toBeLessThanOrEqual(facts.ceiling);
        expect(room).toBeLessThanOrEqual(facts.maxBatch);
      }),
    );
  });

  it('asks for whole tasks', () => {
    const free = { own: 0, held: 0, asked: 0, moving: 0, maxHeld: 300, ceiling: 300 };
    fc.assert(
      fc.property(factsArb, fc.double({ min: 0, max: 30, noNaN: true }), (facts, expected) => {
        expect(Number.isInteger(roomFor({ ...facts, ...free, expected }))).toBe(true);
      }),
    );
  });

  it('gives a job with nothing in hand something, as soon as its pipeline misses anything and a place is free', () => {
    fc.assert(
      fc.property(factsArb, (facts) => {
        const mine = { ...facts, own: 0, threshold: 1 };
        fc.pre(mine.held + mine.asked < mine.maxHeld);
        fc.pre(Math.max(mine.target, mine.most) > mine.moving + mine.expected);
        expect(roomFor(mine)).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  it('begins several jobs side by side while nothing is measured, one for each lane', () => {
    const cold = {
      target: 1,
      most: 1,
      batch: 1,
      threshold: 1,
      expected: 0,
      own: 0,
      ceiling: 16,
      held: 3,
      asked: 0,
    };
    const rest = { maxHeld: 256, maxBatch: 64, cold: true, lanes: 4 };
    expect(roomFor({ ...cold, ...rest, moving: 3 })).toBe(1);
    expect(roomFor({ ...cold, ...rest, moving: 4 })).toBe(0);
    expect(roomFor({ ...cold, ...rest, moving: 3, own: 1 })).toBe(0);
  });
});

describe('ceilingOf', () => {
  it('leaves the last share to others, whoever asks, and gives everybody at least one', () => {
    fc.assert(
      fc.property(
        positive(1_000),
        fc.constantFrom<Standing>('proven', 'new', 'suspect'),
        (total, standing) => {
          const ceiling = ceilingOf(total, standing);
          expect(ceiling).toBeGreaterThanOrEqual(1);
          expect(ceiling).toBeLessThanOrEqual(Math.max(1, total - lastShare(total)));
          expect(ceiling).toBeLessThanOrEqual(ceilingOf(total, 'proven'));
        },
      ),
    );
  });

  it('cannot share what has fewer than eight parts', () => {
    expect([1, 4, 7].map((total) => ceilingOf(total, 'proven'))).toEqual([1, 4, 7]);
    expect(ceilingOf(256, 'proven')).toBe(224);
    expect(ceilingOf(256, 'new')).toBe(32);
  });
});

describe('nextLane', () => {
  const BUSY = { lanes: 4, inUse: 3, unproven: 0, someProven: true };
  const claimArb = fc.record({
    running: count(4),
    unproven: fc.boolean(),
    readyAtMs: count(10_000),
    callMs: count(20_000),
  });
  const claimsArb = fc
    .array(claimArb, { minLength: 1, maxLength: 5 })
    .map((claims) => claims.map((claim, index): LaneClaim => ({ slug: `p${index}`, ...claim })));

  it('gives a free lane to somebody, unless calls that have not shown that they end would have all of them', () => {
    const stateArb = fc.record({
      lanes: positive(8),
      inUse: count(8),
      unproven: count(8),
      pipelines: positive(6),
      someProven: fc.boolean(),
    });
    fc.assert(
      fc.property(claimsArb, stateArb, (claims, facts) => {
        const state = {
          ...facts,
          pipelines: Math.max(facts.pipelines, claims.length),
          unproven: Math.min(facts.unproven, facts.inUse),
          current: undefined,
        };
        const slug = nextLane(claims, state, 20_000);
        const { lanes, inUse, unproven, pipelines, someProven } = state;
        if (inUse >= lanes) expect(slug).toBeUndefined();
        else if (unproven + 1 < lanes || lanes === 1 || pipelines === 1) expect(slug).toBeDefined();
        else if (slug !== undefined) {
          const chosen = claims.find((claim) => claim.slug === slug);
          expect(chosen?.unproven !== true || (!someProven && chosen.running === 0)).toBe(true);
        }
      }),
    );
  });

  it('lets every pipeline that waits have a lane within one quantum', () => {
    fc.assert(
      fc.property(claimsArb, (claims) => {
        const proven = claims.map((claim) => ({ ...claim, unproven: false }));
        const state = { ...BUSY, pipelines: 5, current: { slug: 'p0', sinceMs: 0 } };
        const slug = nextLane(proven, state, 5_000);
        if (proven.length > 1) expect(slug).not.toBe('p0');
      }),
    );
  });

  it('spares the model switches while calls are short, and makes nobody wait for long ones', () => {
    const claim = (slug: string, running: number, callMs: number): LaneClaim => ({
      slug,
      running,
      callMs,
      unproven: false,
      readyAtMs: 0,
    });
    const state = { ...BUSY, pipelines: 2, current: { slug: 'a', sinceMs: 0 } };
    expect(nextLane([claim('a', 3, 100), claim('b', 0, 100)], state, 1_000)).toBe('a');
    expect(nextLane([claim('a', 3, 15_000), claim('b', 0, 100)], state, 1_000)).toBe('b');
    expect(nextLane([claim('a', 2, 15_000), claim('b', 1, 100)], state, 1_000)).toBe('a');
  });
});

describe('Reservations', () => {
  const job = (id: number) => ({ id, pipeline: { slug: 'p' } as never });
  const begin = (reservations: Reservations, id: number, outlook: 'unknown' | 'work' | 'none'): void => {
    reservations.begin(job(id), { count: 8, outlook, sentAtMs: 0 });
  };

  it('expects in full of a job at work, nothing of one that was empty, and of new ones what they brought lately', () => {
    const reservations = new Reservations();
    begin(reservations, 1, 'work');
    expect(reservations.expected('p')).toBe(8);
    begin(reservations, 2, 'none');
    expect(reservations.expected('p')).toBe(8);
    begin(reservations, 3, 'unknown');
    expect(reservations.expected('p')).toBe(16);
    for (let answer = 0; answer < 10; answer++) reservations.answered('unknown', 0);
    expect(reservations.expected('p')).toBe(8);
    expect(reservations.expected('other')).toBe(0);
    expect(reservations.asked).toBe(24);
    reservations.end(1);
    expect([reservations.size, reservations.has(1)]).toEqual([2, false]);
  });

  it('expects whole tasks', () => {
    const reservations = new Reservations();
    for (const tasks of [1, 0]) reservations.answered('unknown', tasks);
    for (const id of [1, 2, 3]) begin(reservations, id, 'unknown');
    expect(reservations.expected('p')).toBe(2);
  });

  it('asks jobs that promise little for so few that all requests together fit the places', () => {
    const reservations = new Reservations();
    expect(reservations.askable('none', 64)).toBe(64);
    begin(reservations, 1, 'unknown');
    expect(reservations.askable('none', 64) * MAX_RESERVATIONS).toBeLessThanOrEqual(256);
    expect(reservations.askable('work', 64)).toBe(64);
  });
});

describe('PostSlots', () => {
  it('lets posts that hang keep no other from going out', async () => {
    const slots = new PostSlots();
    const hung = new Set<number>();
    const gone: number[] = [];
    const take = (id: number): Promise<() => void> => {
      const went = slots.take({ rank: id, isSuspect: () => hung.has(id) });
      void went.then(() => gone.push(id));
      return went;
    };
    const first = Array.from({ length: 8 }, (_, id) => take(id));
    await Promise.all(first);
    const ninth = take(9);
    await Promise.resolve();
    expect(gone).not.toContain(9);
    for (let id = 0; id < 8; id++) hung.add(id);
    slots.look();
    const release = await ninth;
    // But of those in trouble only so many.
    hung.add(10);
    void take(10);
    await Promise.resolve();
    expect(gone).not.toContain(10);
    release();
    release();
    expect(slots.running).toBe(8);
  });

  it('lets the earliest lease go first', async () => {
    const slots = new PostSlots();
    const isSuspect = (): boolean => false;
    const releases = await Promise.all(Array.from({ length: 8 }, () => slots.take({ rank: 0, isSuspect })));
    const order: number[] = [];
    for (const rank of [5, 3, 4]) void slots.take({ rank, isSuspect }).then(() => order.push(rank));
    for (const release of releases.slice(0, 3)) release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual([3, 4, 5]);
  });
});

describe('Troubles', () => {
  const listener = () => {
    const told: [string, Trouble][] = [];
    return {
      told,
      began: (trouble: Trouble) => void told.push(['began', trouble]),
      ended: (trouble: Trouble) => void told.push(['ended', trouble]),
    };
  };

  it('tells once of what lasts for ten seconds, in words, and when it is over', () => {
    const heard = listener();
    const troubles = new Troubles(() => 0.5, heard);
    troubles.failed('post', '12', 0, { detail: 'server_error' });
    troubles.failed('post', '12', 5_000, { detail: 'server_error' });
    troubles.declare(9_999);
    expect(heard.told).toEqual([]);
    troubles.declare(10_000);
    troubles.declare(40_000);
    expect(heard.told.map(([what, { text }]) => [what, text])).toEqual([
      ['began', 'job 12: no results have been accepted for 10 s (failed 2 times, last: server_error)'],
    ]);
    expect(troubles.list(40_000).map(({ sinceMs }) => sinceMs)).toEqual([40_000]);
    troubles.worked('post', '12', 41_000);
    expect(heard.told.at(-1)?.[0]).toBe('ended');
    expect(troubles.any).toBe(false);
  });

  it('says nothing of a single hiccup, however long ago', () => {
    const heard = listener();
    const troubles = new Troubles(() => 0.5, heard);
    troubles.failed('reserve', '1', 0, { detail: 'x' });
    troubles.declare(60_000);
    expect(heard.told).toEqual([]);
    expect(troubles.isSuspect('reserve', '1')).toBe(false);
  });

  it('names the jobs that wait for an image host', () => {
    const troubles = new Troubles(() => 0.5, listener());
    troubles.hangs('download', 'img.example.org', 42_000, { sinceMs: 2_000, jobId: 12 });
    troubles.declare(42_000);
    expect(troubles.list(42_000)[0]?.text).toBe(
      "job 12: the images' host img.example.org has not answered for 40 s",
    );
    expect(troubles.isSuspect('download', 'img.example.org')).toBe(true);
  });

  it('forgets a host when the last job that needed it has left', () => {
    const heard = listener();
    const troubles = new Troubles(() => 0.5, heard);
    for (const jobId of [1, 2]) troubles.failed('download', 'img.example.org', 0, { detail: 'x', jobId });
    troubles.declare(20_000);
    troubles.forget(1, 21_000);
    expect(troubles.list(21_000).map(({ text }) => text)).toEqual([expect.stringMatching(/^job 2: /)]);
    troubles.forget(2, 22_000);
    expect(troubles.any).toBe(false);
    expect(heard.told.map(([what]) => what)).toEqual(['began', 'ended']);
  });

  it('waits longer after each failure, up to its cap, and forgets what nobody tries any more', () => {
    const troubles = new Troubles(() => 0.99, listener());
    const waits = [0, 1, 2, 3, 4, 5].map((n) => {
      troubles.failed('reserve', '1', n * 1_000, { detail: 'x', capMs: 4_000 });
      return (troubles.retryAtMs('reserve', '1') ?? 0) - n * 1_000;
    });
    expect(waits.map((wait) => Math.round(wait))).toEqual([495, 990, 1_980, 3_960, 3_960, 3_960]);
    troubles.declare(700_000);
    expect(troubles.any).toBe(false);
  });

  it('keeps no more than some hundreds, whatever fails', () => {
    const heard = listener();
    const troubles = new Troubles(() => 0.5, heard);
    for (let job = 0; job < 2_000; job++) {
      for (let n = 0; n < 2; n++) troubles.failed('reserve', String(job), 100 * job + n, { detail: 'x' });
      troubles.declare(100 * job);
    }
    troubles.declare(300_000);
    const listed = troubles.list(300_000).map(({ subject }) => subject);
    expect(listed.length).toBe(500);
    // Whoever counts what began and what is over is left with what there is.
    const open = new Set<string>();
    for (const [what, { subject }] of heard.told)
      if (what === 'began') open.add(subject);
      else open.delete(subject);
    expect([...open].sort()).toEqual([...listed].sort());
  });
});
