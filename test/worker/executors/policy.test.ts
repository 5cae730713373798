import { Readable } from 'node:stream';
import { AntennaTimeoutError } from 'antenna-sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { abortReason, HandlerAbortError } from '../../../src/worker/executors/joined-signal.js';
import { cleanLine, readLines, withoutCredentials } from '../../../src/worker/executors/output-lines.js';
import { recycleReason, respawnDelayMs } from '../../../src/worker/executors/respawn.js';
import { Slots } from '../../../src/worker/executors/slots.js';

describe('starting again after a crash', () => {
  it('is immediate after one, and waits longer and longer, never above 30 s, when nothing works', () => {
    const most = (failures: number): number => respawnDelayMs(failures, () => 1);
    expect([0, 1, 2, 3, 4].map(most)).toEqual([0, 0, 500, 1_000, 2_000]);
    fc.assert(
      fc.property(fc.nat(2_000), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
        const delayMs = respawnDelayMs(failures, () => random);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(30_000);
      }),
    );
  });
});

describe('replacing a process', () => {
  it('says why, and does nothing without limits', () => {
    const age = { batches: 5, rssBytes: 2_000 };
    expect(recycleReason(age, { maxBatches: 0, maxRssBytes: 0 })).toBeUndefined();
    expect(recycleReason(age, { maxBatches: 6, maxRssBytes: 2_000 })).toBeUndefined();
    expect(recycleReason(age, { maxBatches: 5, maxRssBytes: 0 })).toBe('it has run 5 batches');
    expect(recycleReason(age, { maxBatches: 0, maxRssBytes: 1_999 })).toBe(
      'its memory is 2000 of 1999 bytes',
    );
  });
});

describe('the reason of an abort', () => {
  it('keeps a typed one and reads the others', () => {
    const gone = new HandlerAbortError('job_gone');
    const late = new AntennaTimeoutError({ phase: 'body', timeoutMs: 1 });
    expect(abortReason(AbortSignal.abort(gone))).toBe(gone);
    expect(abortReason(AbortSignal.abort(late))).toMatchObject({ kind: 'timeout', cause: late });
    expect(abortReason(AbortSignal.abort())).toMatchObject({ kind: 'shutdown' });
  });
});

describe('what a process prints', () => {
  it('comes line by line, whatever the pieces, and a line without end is cut', async () => {
    const lines: string[] = [];
    const stream = Readable.from(['one\ntw', 'o\r\n\nthr', 'ee', `\n${'x'.repeat(50_000)}`]);
    readLines(stream, (line) => lines.push(line));
    await new Promise((resolve) => stream.on('close', resolve));
    expect(lines.slice(0, 3)).toEqual(['one', 'two', 'three']);
    expect(lines[3]?.length).toBeLessThanOrEqual(4_000);
  });

  it('loses credentials and the queries of URLs', () => {
    const line =
      'Bearer abcdefgh12345 https://h/a.jpg?sig=abc key abcdefgh.qrstuvwxyz0123 and qrstuvwxyz0123';
    expect(cleanLine(line, ['abcdefgh.qrstuvwxyz0123'])).toBe(
      'Bearer [redacted] https://h/a.jpg?[redacted] key [redacted] and [redacted]',
    );
  });

  it('cannot hold the worker’s credentials: the process does not get them', () => {
    const env = { PATH: '/bin', ANTENNA_API_KEY: 'k', AMI_ANTENNA_API_AUTH_TOKEN: 't', ANTENNA_API_URL: 'u' };
    expect(withoutCredentials(env)).toEqual({ PATH: '/bin', ANTENNA_API_URL: 'u' });
  });
});

describe('slots', () => {
  const patient = new AbortController().signal;
  const refused = (): Error => new Error('refused');

  it('never run more at a time than there are, lose none, and serve who came first', async () => {
    const slots = new Slots(['a', 'b']);
    let running = 0;
    const order: number[] = [];
    const jobs = Array.from({ length: 9 }, (_, index) =>
      slots
        .with(patient, refused, async () => {
          expect((running += 1)).toBeLessThanOrEqual(2);
          order.push(index);
          await Promise.resolve();
          running -= 1;
          if (index % 3 === 0) throw new Error('failed');
        })
        .catch(() => undefined),
    );
    await Promise.all(jobs);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(slots.busy).toBe(0);
  });

  it('let go of who gives up in line', async () => {
    const slots = new Slots(['a']);
    const giveUp = new AbortController();
    let release: () => void = () => undefined;
    const first = slots.with(patient, refused, () => new Promise<void>((resolve) => (release = resolve)));
    const second = slots.with(giveUp.signal, refused, () => Promise.reject(new Error('ran')));
    giveUp.abort();
    await expect(second).rejects.toThrow('refused');
    release();
    await first;
    expect(await slots.with(patient, refused, (slot) => Promise.resolve(slot))).toBe('a');
  });

  it('fill every place once before one gets a second call, and keep a place free for who must be alone', async () => {
    const slots = new Slots(['a', 'b'], () => 2);
    const releases: (() => void)[] = [];
    const places: string[] = [];
    const enter = (alone = false): Promise<void> =>
      slots.with(
        patient,
        refused,
        (slot) => {
          places.push(slot);
          return new Promise<void>((resolve) => releases.push(resolve));
        },
        { alone },
      );
    const calls = [enter(), enter(), enter(), enter()];
    await Promise.resolve();
    expect([...places].sort()).toEqual(['a', 'a', 'b', 'b']);
    expect(new Set(places.slice(0, 2)).size).toBe(2);
    expect(slots.busy).toBe(2);
    const alone = enter(true);
    const after = enter();
    releases[0]?.();
    await calls[0];
    // One call is left in that place, and the one behind must not overtake.
    expect(places).toHaveLength(4);
    releases[places.lastIndexOf(places[0] ?? '')]?.();
    // Then it has the place, and no second call joins it there: the process may be about to be replaced.
    await expect.poll(() => places).toHaveLength(5);
    expect(places[4]).toBe(places[0]);
    await new Promise(setImmediate);
    expect(places).toHaveLength(5);
    for (const release of releases) release();
    await expect.poll(() => places).toHaveLength(6);
    for (const release of releases) release();
    await Promise.all([...calls, alone, after]);
    expect(slots.busy).toBe(0);
  });
});
