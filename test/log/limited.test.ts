import { describe, expect, it } from 'vitest';
import { limitWarnings } from '../../src/log/limited.js';
import { ManualClock } from '../support/manual-clock.js';
import { listeningLogger } from '../worker/executors/support.js';

describe('a warning that repeats itself', () => {
  it('is said once a minute and kind, with the count of how often it was meant', () => {
    const clock = new ManualClock();
    const { logger, lines } = listeningLogger();
    const limited = limitWarnings(logger, clock);
    for (let second = 0; second < 61; second++) {
      limited.warn({ durationMs: second }, 'the loop stood still');
      if (second % 30 === 0) limited.warn({}, 'another kind');
      clock.advance(1_000);
    }
    expect(lines).toEqual([
      'warn the loop stood still {"durationMs":0}',
      'warn another kind {}',
      'warn the loop stood still {"durationMs":60,"count":60}',
      'warn another kind {"count":2}',
    ]);
  });

  it('is said of each job by itself', () => {
    const { logger, lines } = listeningLogger();
    const limited = limitWarnings(logger, new ManualClock());
    for (const job of [1, 2, 1]) limited.warn({ job }, 'posting failed');
    expect(lines).toEqual(['warn posting failed {"job":1}', 'warn posting failed {"job":2}']);
  });

  it('is the only thing that is limited', () => {
    const { logger, lines } = listeningLogger();
    const limited = limitWarnings(logger, new ManualClock());
    for (const level of ['debug', 'info', 'error'] as const) {
      limited[level]({}, 'again');
      limited[level]({}, 'again');
    }
    expect(lines).toHaveLength(6);
  });
});
