import { Credential, CredentialError, type TokenAnswer } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { deferred, tokenBench } from '../support/token-source.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

/** A provider that numbers its tokens, each `lifetimeMs` long. */
function numbered(lifetimeMs: number) {
  let count = 0;
  const bench = tokenBench(() => {
    count += 1;
    return { token: `token-${count}`, expiresAt: bench.endsIn(lifetimeMs) };
  });
  return bench;
}

describe('a provider of plain strings', () => {
  it('is asked for every request, and no two requests share an answer', async () => {
    let count = 0;
    const bench = tokenBench(() => `token-${(count += 1)}`);
    const tokens = await Promise.all(Array.from({ length: 20 }, () => bench.get()));
    expect(new Set(tokens).size).toBe(20);
    expect(bench.asked).toHaveLength(20);
    expect(bench.source.health()).toMatchObject({ mode: 'per-request', expiresAt: undefined });
  });

  it('never becomes one whose tokens are shared, even if it then names an end', async () => {
    const answers: TokenAnswer[] = [
      'of-tenant-a',
      { token: 'of-tenant-b', expiresAt: Date.now() + 1e12 },
      'of-tenant-c',
    ];
    const bench = tokenBench(() => answers.shift() ?? '');
    expect([await bench.get(), await bench.get(), await bench.get()]).toEqual([
      'of-tenant-a',
      'of-tenant-b',
      'of-tenant-c',
    ]);
  });

  it('stops sharing for good when a provider of ends answers a plain string', async () => {
    const bench = tokenBench(({ reason }) =>
      reason === 'initial' && bench.asked.length === 1
        ? { token: 'shared', expiresAt: bench.endsIn(30_000) }
        : `own-${bench.asked.length}`,
    );
    await bench.get();
    await bench.clock.advance(31_000);
    const tokens = await Promise.all([bench.get(), bench.get(), bench.get()]);
    expect(new Set(tokens).size).toBe(3);
    expect(tokens).not.toContain('shared');
    expect(bench.source.health()).toMatchObject({ mode: 'per-request', expiresAt: undefined });
  });

  it('gets the signal of the request that asks', async () => {
    const bench = tokenBench(({ signal }) =>
      bench.asked.length === 1
        ? 'first'
        : new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              reject(new Error('gave up'));
            });
          }),
    );
    await bench.get();
    const caller = new AbortController();
    const waiting = bench.get({ signal: caller.signal });
    const other = bench.asked;
    caller.abort(new Error('not needed'));
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
    expect(other[1]?.signal.aborted).toBe(true);
  });

  it('says "nothing newer" when it repeats the token that was refused', async () => {
    const bench = tokenBench(() => 'the-same');
    await bench.get();
    expect(await bench.get({ reason: 'rejected', rejected: Credential.bearer('the-same') })).toBeUndefined();
    expect(await bench.get({ reason: 'rejected', rejected: Credential.bearer('older') })).toBe('the-same');
    expect(bench.reasons()).toEqual(['initial', 'rejected', 'rejected']);
  });

  it('does not let one request’s failure reach the next, not even at the very first', async () => {
    let count = 0;
    const bench = tokenBench(async () => {
      count += 1;
      await Promise.resolve();
      if (count === 1) throw new Error('no tenant here');
      return `token-${count}`;
    });
    const [first, ...rest] = await Promise.allSettled([bench.get(), bench.get(), bench.get()]);
    expect(first.status).toBe('rejected');
    expect(rest.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
  });
});

describe('a provider of tokens with an end', () => {
  it.each([
    ['30 s', 30_000],
    ['1 h', HOUR],
    ['30 days', 30 * DAY],
  ])('is asked once per token of %s, not once per request, and before the end', async (_, lifetimeMs) => {
    const bench = numbered(lifetimeMs);
    await bench.get();
    const untilInsideWindowMs = lifetimeMs - Math.min(300_000, lifetimeMs / 3) / 2;
    for (let request = 0; request < 300; request++) {
      await bench.clock.advance(untilInsideWindowMs / 100);
      await bench.get();
      await turns();
    }
    expect(bench.asked.length).toBeGreaterThanOrEqual(3);
    expect(bench.asked.length).toBeLessThanOrEqual(6);
    expect(
      bench
        .reasons()
        .slice(1)
        .every((reason) => reason === 'expiring'),
    ).toBe(true);
  });

  it('serves the old token at once while the new one is on its way', async () => {
    const answer = deferred<TokenAnswer>();
    const bench = tokenBench(({ reason }) =>
      reason === 'initial' ? { token: 'old', expiresAt: bench.endsIn(HOUR) } : answer.promise,
    );
    await bench.get();
    await bench.clock.advance(HOUR - 60_000);
    expect(bench.raw()).toBeInstanceOf(Credential);
    expect(await Promise.all([bench.get(), bench.get()])).toEqual(['old', 'old']);
    expect(bench.reasons()).toEqual(['initial', 'expiring']);
    expect(bench.asked[1]?.previousExpiresAt).toEqual(bench.endsIn(60_000));
    answer.resolve({ token: 'new', expiresAt: bench.endsIn(HOUR) });
    await turns();
    expect(await bench.get()).toBe('new');
  });

  it('is asked once by 50 requests at the first use, and once by 50 at expiry', async () => {
    const bench = numbered(HOUR);
    const many = () => Promise.all(Array.from({ length: 50 }, () => bench.get()));
    expect(new Set(await many())).toEqual(new Set(['token-1']));
    await bench.clock.advance(HOUR + 1);
    expect(new Set(await many())).toEqual(new Set(['token-2']));
    expect(bench.reasons()).toEqual(['initial', 'expired']);
  });

  it('is asked once by ten 401s, and not at all by an eleventh that comes late', async () => {
    const bench = numbered(HOUR);
    const refused = await bench.raw();
    if (!refused) throw new Error('no credential');
    const rejected = { reason: 'rejected', rejected: refused } as const;
    const tokens = await Promise.all(Array.from({ length: 10 }, () => bench.get(rejected)));
    expect(new Set(tokens)).toEqual(new Set(['token-2']));
    expect(await bench.get(rejected)).toBe('token-2');
    expect(bench.reasons()).toEqual(['initial', 'rejected']);
  });

  it('does not let a refresh that began before a 401 overwrite what the 401 brought', async () => {
    const slow = deferred<TokenAnswer>();
    const bench = tokenBench(({ reason }) => {
      if (reason === 'expiring') return slow.promise;
      return { token: reason === 'initial' ? 'first' : 'after-401', expiresAt: bench.endsIn(HOUR) };
    });
    const refused = await bench.raw();
    if (!refused) throw new Error('no credential');
    await bench.clock.advance(HOUR - 60_000);
    await bench.get();
    expect(await bench.get({ reason: 'rejected', rejected: refused })).toBe('after-401');
    slow.resolve({ token: 'stale', expiresAt: bench.endsIn(2 * HOUR) });
    await turns();
    expect(await bench.get()).toBe('after-401');
  });

  it('leaves an issuer alone that repeats its token: a handful of calls in its last 5 minutes', async () => {
    const bench = tokenBench(() => ({ token: 'cached-upstream', expiresAt: fixedEnd }));
    const fixedEnd = bench.endsIn(HOUR);
    await bench.get();
    await bench.clock.advance(HOUR - 300_000);
    for (let second = 0; second < 299; second++) {
      await bench.get();
      await bench.clock.advance(1_000);
    }
    expect(bench.asked.length).toBeGreaterThan(2);
    expect(bench.asked.length).toBeLessThanOrEqual(10);
  });

  it('gives up on a 401 when the issuer repeats the refused token, and does not ask again at once', async () => {
    const bench = tokenBench(() => ({ token: 'revoked', expiresAt: bench.endsIn(HOUR) }));
    const refused = await bench.raw();
    if (!refused) throw new Error('no credential');
    for (let request = 0; request < 100; request++) {
      expect(await bench.get({ reason: 'rejected', rejected: refused })).toBeUndefined();
    }
    expect(bench.asked).toHaveLength(2);
    await bench.clock.advance(30_000);
    await bench.get({ reason: 'rejected', rejected: refused });
    expect(bench.asked).toHaveLength(3);
  });

  it('bounds the calls when every new token is refused as well', async () => {
    const bench = numbered(HOUR);
    for (let second = 0; second < 600; second++) {
      const credential = await bench.raw();
      if (credential) await bench.get({ reason: 'rejected', rejected: credential });
      await bench.clock.advance(1_000);
    }
    expect(bench.asked.length).toBeLessThan(50);
  });

  it('renews after the machine slept through the end, and after the clock was set forward', async () => {
    const bench = numbered(HOUR);
    await bench.get();
    bench.clock.step(2 * HOUR);
    expect(await bench.get()).toBe('token-2');
    expect(bench.reasons()).toEqual(['initial', 'expired']);
  });
});

describe('a provider that fails', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('boom');
      },
      'failed',
    ],
    ['rejects', () => Promise.reject(new Error('boom')), 'failed'],
    ['returns nothing', () => undefined as never, 'invalid'],
    ['returns an ended token', () => ({ token: 'x', expiresAt: new Date(0) }), 'expired'],
    ['returns a line break', () => 'token\n', 'invalid'],
  ])('%s: the request gets a CredentialError', async (_, provider, problem) => {
    const error: unknown = await tokenBench(provider)
      .get()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CredentialError);
    expect(error).toMatchObject({ problem, code: 'credential', delivered: 'no' });
  });

  it('hangs: the call ends at its own limit, and its signal aborts', async () => {
    const bench = tokenBench(() => new Promise(() => undefined));
    const waiting = expect(bench.get()).rejects.toMatchObject({ problem: 'timeout', message: /20000 ms/ });
    await bench.clock.advance(20_000);
    await waiting;
    expect(bench.asked[0]?.signal.aborted).toBe(true);
    expect(bench.clock.pending).toBe(0);
  });

  it('fails ahead of time: the old token serves, one line is logged, the tries are spaced', async () => {
    let down = false;
    const bench = tokenBench(() => {
      if (down) throw new Error('issuer away');
      return { token: `token-${bench.asked.length}`, expiresAt: bench.endsIn(HOUR) };
    });
    await bench.get();
    await bench.clock.advance(HOUR - 300_000);
    down = true;
    for (let second = 0; second < 290; second++) {
      expect(await bench.get()).toBe('token-1');
      await bench.clock.advance(1_000);
    }
    expect(bench.asked.length).toBeGreaterThan(5);
    expect(bench.asked.length).toBeLessThan(25);
    expect(bench.logged).toEqual(['warn: a token refresh failed; the old token still serves']);
    expect(bench.source.health().failures).toBe(bench.asked.length - 1);
    down = false;
    await bench.clock.advance(30_000);
    expect(await bench.get()).toMatch(/^token-\d\d?$/);
    expect(bench.source.health().failures).toBe(0);
    expect(bench.logged.at(-1)).toBe('info: the token provider answers again');
  });

  it('is away for 10 minutes past the end: clear errors, bounded calls, recovery at the first answer', async () => {
    let down = false;
    const bench = tokenBench(() => {
      if (down) return Promise.reject(new Error('issuer away'));
      return { token: `token-${bench.asked.length}`, expiresAt: bench.endsIn(HOUR) };
    });
    await bench.get();
    await bench.clock.advance(HOUR + 1);
    down = true;
    for (let tick = 0; tick < 6_000; tick++) {
      await expect(bench.get()).rejects.toBeInstanceOf(CredentialError);
      if (tick % 10 === 9) await bench.clock.advance(1_000);
    }
    // 1, 2, 4, 8, 16, then every 30 s at most: 25 ceilings of half to whole.
    expect(bench.asked.length).toBeLessThan(45);
    await expect(bench.get()).rejects.toThrow(/failed \d+ times in a row; asked again in [\d.]+ s/);
    down = false;
    await bench.clock.advance(30_000);
    expect(await bench.get()).toMatch(/^token-/);
    expect(bench.source.health()).toMatchObject({ failures: 0, mode: 'shared' });
  }, 60_000);

  it('ends with the client: a call under way is aborted, nothing is left behind', async () => {
    const bench = tokenBench(() => new Promise(() => undefined));
    const waiting = expect(bench.get()).rejects.toMatchObject({ code: 'aborted' });
    bench.source.close();
    await waiting;
    expect(bench.asked[0]?.signal.aborted).toBe(true);
    expect(bench.clock.pending).toBe(0);
  });
});

describe('health', () => {
  it('tells when the token ends and when it will be renewed', async () => {
    const bench = numbered(HOUR);
    expect(bench.source.health()).toEqual({ mode: 'unknown', failures: 0 });
    await bench.get();
    expect(bench.source.health()).toEqual({
      mode: 'shared',
      failures: 0,
      lastRefreshAt: bench.endsIn(0),
      expiresAt: bench.endsIn(HOUR),
      nextRefreshAt: bench.endsIn(HOUR - 300_000),
    });
  });
});
