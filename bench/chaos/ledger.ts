import type { ImageAccount } from 'antenna-sdk/testing';
import type { Runs } from './worker-log.js';

/** Everything that is known about a run when it has ended. */
export interface ChaosFacts {
  readonly tasks: number;
  readonly maxDeliveries: number;
  readonly accounts: ReadonlyMap<string, Readonly<ImageAccount>>;
  /** How often the server counted an outcome for the first time. */
  readonly counted: number;
  /** Handler calls by image, out of the journals. */
  readonly runs: ReadonlyMap<string, Runs>;
  /** Answers to reservations that were lost on the way, by image: nobody held those deliveries. */
  readonly lostDeliveries: ReadonlyMap<string, number>;
  readonly unhandled: readonly string[];
  readonly spool: SpoolFacts;
  /** Workers that had to be killed at the end, or whose exit code was not 0. */
  readonly badEnds: readonly string[];
  readonly timedOut: boolean;
  /** Default {@link MAX_DUPLICATE_SHARE}. */
  readonly maxDuplicateShare?: number;
}

/** What lies in the spool directories after the end. */
export interface SpoolFacts {
  readonly waiting: number;
  readonly bad: number;
  readonly dead: number;
  /** Images in dead files that have no counted outcome. */
  readonly deadAndUncounted: readonly string[];
}

/** The account of a run. */
export interface ChaosLedger {
  readonly succeeded: number;
  readonly errors: number;
  /** Given up by the server after the last delivery, each with what became of its deliveries. */
  readonly dead: readonly string[];
  /** No outcome although deliveries are left. */
  readonly lost: readonly string[];
  readonly handlerRuns: number;
  /** Handler runs beyond one for each task. */
  readonly duplicates: number;
  readonly duplicateShare: number;
  /** Handler runs that a kill cut off: no result ever came of them. */
  readonly cutOff: number;
  /** Deliveries by number, from the first: how many tasks needed so many. */
  readonly deliveries: readonly number[];
  /** What is wrong. Empty: every promise was kept. */
  readonly findings: readonly string[];
}

/** Share of handler runs beyond one for each task that the issue allows. */
export const MAX_DUPLICATE_SHARE = 0.05;

/** Adds up a run, and names every broken promise. */
export function balance(facts: ChaosFacts): ChaosLedger {
  const { accounts, tasks, maxDeliveries, lostDeliveries } = facts;
  const all = [...accounts];
  const withOutcome = (wanted: ImageAccount['outcome']): string[] =>
    all.filter(([, { outcome }]) => outcome === wanted).map(([id]) => id);
  const open = all.filter(([, { outcome }]) => outcome === null);
  const usedUp = open.filter(([, { deliveries }]) => deliveries >= maxDeliveries);
  const started = sum([...facts.runs.values()].map((runs) => runs.started));
  const ended = sum([...facts.runs.values()].map((runs) => runs.ended));
  const duplicates = started - facts.runs.size;
  const deliveries = Array.from(
    { length: maxDeliveries },
    (_, index) => all.filter(([, account]) => account.deliveries === index + 1).length,
  );
  const ledger = {
    succeeded: withOutcome('success').length,
    errors: withOutcome('error').length,
    dead: usedUp.map(([id, account]) => causeOfDeath(id, account, lostDeliveries.get(id) ?? 0)),
    lost: open.filter(([, account]) => account.deliveries < maxDeliveries).map(([id]) => id),
    handlerRuns: started,
    duplicates,
    duplicateShare: duplicates / tasks,
    cutOff: started - ended,
    deliveries,
  };
  return { ...ledger, findings: findings(facts, ledger) };
}

function causeOfDeath(id: string, account: Readonly<ImageAccount>, lost: number): string {
  const { deliveries } = account;
  return `image ${id}: ${deliveries} deliveries, ${lost} of them answers lost on the way, ${deliveries - lost} with a worker that was killed or let it lapse`;
}

function findings(facts: ChaosFacts, ledger: Omit<ChaosLedger, 'findings'>): string[] {
  const { tasks, accounts, maxDeliveries } = facts;
  const outcomes = ledger.succeeded + ledger.errors;
  const hasty = [...accounts].filter(
    ([, { outcome, deliveries }]) => outcome === 'error' && deliveries < maxDeliveries,
  );
  const phantom = [...accounts].filter(
    ([id, { outcome }]) => outcome === 'success' && (facts.runs.get(id)?.ended ?? 0) === 0,
  );
  const claims: [boolean, string][] = [
    [facts.timedOut, 'the run did not end in time'],
    [accounts.size !== tasks, `${accounts.size} of ${tasks} tasks are in the server's book`],
    [
      ledger.lost.length > 0,
      `${ledger.lost.length} tasks lost: images ${ledger.lost.slice(0, 10).join(', ')}`,
    ],
    [outcomes + ledger.dead.length + ledger.lost.length !== tasks, 'the outcomes do not add up'],
    [facts.counted !== outcomes, `${facts.counted} outcomes counted for ${outcomes} tasks`],
    [hasty.length > 0, `${hasty.length} error results before the last delivery, for passing faults`],
    [phantom.length > 0, `${phantom.length} successes that no handler call stands behind`],
    [
      ledger.duplicateShare > (facts.maxDuplicateShare ?? MAX_DUPLICATE_SHARE),
      `${ledger.duplicates} handler runs too many: ${(ledger.duplicateShare * 100).toFixed(1)} %`,
    ],
    [facts.unhandled.length > 0, `unhandled in a worker: ${facts.unhandled.slice(0, 3).join(' | ')}`],
    [facts.spool.waiting > 0, `${facts.spool.waiting} files left in spool directories`],
    [facts.spool.bad > 0, `${facts.spool.bad} spool files that could not be read`],
    [
      facts.spool.deadAndUncounted.length > 0,
      `buried in a spool and not counted: images ${facts.spool.deadAndUncounted.slice(0, 10).join(', ')}`,
    ],
    [facts.badEnds.length > 0, `workers that did not stop as asked: ${facts.badEnds.join(', ')}`],
  ];
  return claims.filter(([broken]) => broken).map(([, text]) => text);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
