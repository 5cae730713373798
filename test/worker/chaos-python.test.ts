import { describe, expect, it } from 'vitest';
import { describeOutcome } from '../../bench/chaos/print.js';
import { runChaos } from '../../bench/chaos/run-chaos.js';
import { PYTHON } from '../../bench/chaos/settings.js';
import { pythonHas } from './executors/command/support.js';
import { orSkipped } from '../support/or-skipped.js';

/** CHAOS_SEED repeats a run that failed; by default each run is another one. */
const seed = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000);

describe.skipIf(!pythonHas())(
  orSkipped('the chaos run with its model in Python', pythonHas(), 'no python3 of 3.9 or newer'),
  () => {
    it('counts every task once and loses none, though the child is killed, hangs and runs out of memory', async () => {
      const outcome = await runChaos({ ...PYTHON, seed });
      const { ledger, events } = outcome;
      const text = describeOutcome(outcome).join('\n');
      expect(ledger.findings, text).toEqual([]);
      expect(ledger.succeeded + ledger.errors + ledger.dead.length, text).toBe(PYTHON.tasks);
      expect(ledger.dead.length, text).toBeLessThanOrEqual(1);
      for (const fault of ['killed', 'hangs', 'out of memory'])
        expect(events[`fault: ${fault}`] ?? 0, text).toBeGreaterThan(0);
    }, 240_000);
  },
);
