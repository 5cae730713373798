import type { Crew, CrewReport } from './crew.js';
import type { FaultCounts } from './faults.js';
import { balance, type ChaosLedger } from './ledger.js';
import { memoryCourse, type MemoryCourse, type MemorySample } from './memory.js';
import type { ChaosSettings } from './settings.js';
import { lookIntoSpools } from './spool-look.js';
import type { Stage } from './stage.js';
import type { SlowSaving, Trouble } from './trouble.js';
import { readJournals, readLog, type LoggedLine, type Runs, type WorkerOrders } from './worker-log.js';

/** What a run gave. */
export interface ChaosOutcome {
  readonly settings: ChaosSettings;
  readonly durationMs: number;
  readonly jobStatus: string;
  readonly ledger: ChaosLedger;
  readonly countedAgain: number;
  /** Deliveries of the jobs beside it: one whose images' host never answers, one whose results nobody answers until the end. */
  readonly sides: { readonly dead: number; readonly hanging: number };
  readonly requests: { readonly api: FaultCounts; readonly images: FaultCounts; readonly outage: number };
  /** Undefined if the run never came so far. */
  readonly slowSaving: SlowSaving | undefined;
  readonly keyReplaced: boolean;
  readonly crew: CrewReport;
  /** Results that the server accepted, counted again or not. */
  readonly resultsAccepted: number;
  readonly replayedFiles: number;
  readonly replayedResults: number;
  /** Spool files that were not posted at a start, by reason. */
  readonly notReplayed: Readonly<Record<string, number>>;
  /** Notable events of the workers, by name. */
  readonly events: Readonly<Record<string, number>>;
  /** Of the worker that nobody killed, of the runner with the server in it, and the highest of all other workers. */
  readonly memory: {
    readonly steady: MemoryCourse | undefined;
    readonly runner: MemoryCourse | undefined;
    readonly highestOfOthers: number;
  };
  /** Where logs, journals and spools lie; gone if all went well. */
  readonly folder: string;
}

/** Reads what the workers left, and the server's book. */
export function account(run: {
  readonly settings: ChaosSettings;
  readonly stage: Stage;
  readonly crew: Crew;
  readonly trouble: Trouble;
  readonly orders: Readonly<Record<string, WorkerOrders>>;
  readonly samples: readonly MemorySample[];
  readonly durationMs: number;
  readonly timedOut: boolean;
  readonly folder: string;
}): ChaosOutcome {
  const { settings, stage, crew, trouble, samples, durationMs, timedOut, folder } = run;
  const all = Object.values(run.orders);
  const { ledger: book } = stage.job;
  const lines = all.map(({ logFile }) => readLog(logFile));
  const flat = lines.flat();
  const unhandled = flat.flatMap((line) => (line.kind === 'unhandled' ? [`${line.what}: ${line.text}`] : []));
  const crewReport = crew.report;
  const badEnds = Object.entries(crewReport.stopped)
    .filter(([, code]) => code !== 0)
    .map(([name, code]) => `${name} (${code === undefined ? 'never' : String(code)})`);
  const ledger = balance({
    tasks: settings.tasks,
    maxDeliveries: settings.maxDeliveries,
    maxDuplicateShare: settings.maxDuplicateShare,
    accounts: book.images,
    counted: book.total('counted'),
    runs: runsOf(all, book.images),
    lostDeliveries: stage.lostDeliveries,
    unhandled,
    spool: lookIntoSpools(
      all.map(({ spoolDirectory }) => spoolDirectory),
      (id) => book.images.get(id)?.outcome !== null,
    ),
    badEnds,
    timedOut,
  });
  const replays = flat.filter((line) => line.kind === 'replayed');
  const [steady = [], ...others] = lines;
  return {
    settings,
    durationMs,
    jobStatus: stage.job.status,
    ledger,
    countedAgain: book.total('counted-again'),
    sides: {
      dead: stage.sides.dead.ledger.total('delivered'),
      hanging: stage.sides.hanging.ledger.total('delivered'),
    },
    requests: { api: stage.api, images: stage.imageCounts, outage: trouble.outageRequests },
    keyReplaced: trouble.keyReplaced,
    slowSaving: trouble.slowSaving,
    crew: crewReport,
    resultsAccepted: book.total('posted'),
    replayedFiles: replays.filter(({ outcome }) => outcome === 'posted').length,
    replayedResults: replays.reduce((sum, { count, outcome }) => sum + (outcome === 'posted' ? count : 0), 0),
    notReplayed: tally(replays.map(({ outcome }) => outcome).filter((outcome) => outcome !== 'posted')),
    events: tally(flat.flatMap((line) => (line.kind === 'event' ? [line.name] : []))),
    memory: {
      steady: memoryCourse(memoryOf(steady)),
      runner: memoryCourse(samples),
      highestOfOthers: Math.max(0, ...memoryOf(others.flat()).map(({ rss }) => rss)),
    },
    folder,
  };
}

/** Handler calls for images of the job that is counted. */
function runsOf(
  orders: readonly WorkerOrders[],
  images: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, Runs> {
  const runs = readJournals(orders.map(({ journalFile }) => journalFile));
  return new Map([...runs].filter(([id]) => images.has(id)));
}

const memoryOf = (lines: readonly LoggedLine[]): MemorySample[] =>
  lines.flatMap((line) => (line.kind === 'rss' ? [{ at: line.at, rss: line.rss }] : []));

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
