import { Credential, type TokenAnswer } from 'antenna-sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deferred, tokenBench } from '../support/token-source.js';

const LIFETIME_MS = 90_000;

type Step =
  | { readonly do: 'request' }
  | { readonly do: 'reject-newest' }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'answer'; readonly which: number; readonly how: 'good' | 'repeat' | 'fail' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Step>({ do: 'request' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'reject-newest' }) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 60_000 }).map((ms): Step => ({ do: 'wait', ms })) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.nat(5), fc.constantFrom('good' as const, 'good' as const, 'repeat' as const, 'fail' as const))
      .map(([which, how]): Step => ({ do: 'answer', which, how })),
  },
);

/** Plays steps against a source whose provider answers when a step says so, in any order. */
async function play(steps: readonly Step[]) {
  const open: ReturnType<typeof deferred<TokenAnswer>>[] = [];
  const ends = new Map<string, number>();
  const served: { token: string; atMs: number }[] = [];
  let newest = '';
  let askedFor = 0;
  let rejections = 0;
  let mostOpen = 0;
  const settle = async () => {
    await bench.clock.advance(0);
  };
  const bench = tokenBench(
    () => {
      const answer = deferred<TokenAnswer>();
      open.push(answer);
      mostOpen = Math.max(mostOpen, open.length);
      return answer.promise;
    },
    { timeoutMs: 10 * LIFETIME_MS },
  );
  const issue = (repeat: boolean): TokenAnswer => {
    const token = repeat && newest !== '' ? newest : `token-${(askedFor += 1)}`;
    const end = ends.get(token) ?? bench.clock.wallNow() + LIFETIME_MS;
    ends.set(token, end);
    newest = token;
    return { token, expiresAt: end };
  };
  const pending: Promise<unknown>[] = [];
  const note = (credential: Credential | undefined) => {
    if (credential) served.push({ token: Credential.open(credential).secret, atMs: bench.clock.wallNow() });
  };
  for (const one of steps) {
    switch (one.do) {
      case 'request':
        pending.push(Promise.resolve(bench.raw()).then(note, () => undefined));
        break;
      case 'reject-newest': {
        const last = served.at(-1);
        if (last === undefined) break;
        rejections += 1;
        const rejected = Credential.bearer(last.token);
        pending.push(
          Promise.resolve(bench.raw({ reason: 'rejected', rejected })).then(note, () => undefined),
        );
        break;
      }
      case 'wait':
        await bench.clock.advance(one.ms);
        break;
      case 'answer': {
        const [answer] = open.splice(one.which % Math.max(1, open.length), 1);
        if (one.how === 'fail') answer?.reject(new Error('issuer away'));
        else answer?.resolve(issue(one.how === 'repeat'));
      }
    }
    await settle();
  }
  while (open.length > 0) {
    open.pop()?.reject(new Error('the end'));
    await settle();
  }
  await Promise.all(pending);
  return { served, ends, rejections, mostOpen, health: bench.source.health() };
}

describe('TokenSource over any order of requests, 401s, waits and answers (property)', () => {
  it('never serves a token past its end, and has one call under way, plus one for each 401', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const { served, ends, rejections, mostOpen } = await play(steps);
        for (const { token, atMs } of served) expect(ends.get(token) ?? 0).toBeGreaterThanOrEqual(atMs);
        expect(mostOpen).toBeLessThanOrEqual(1 + rejections);
      }),
      { numRuns: 300 },
    );
  });

  it('always comes to rest: no request hangs once every call of the provider has ended', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const { health } = await play(steps);
        expect(health.mode === 'unknown' || health.mode === 'shared').toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
