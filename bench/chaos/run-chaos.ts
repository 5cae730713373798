import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createContractServer, createImageHost, type JobHandle } from 'antenna-sdk/testing';
import { buildWorker } from './build-worker.js';
import { Crew, type CrewReport } from './crew.js';
import { installFaults, type FaultCounts } from './faults.js';
import { balance, type ChaosLedger } from './ledger.js';
import { memoryCourse, type MemoryCourse, type MemorySample } from './memory.js';
import { PIPELINE } from './pipeline.js';
import { seeded } from './random.js';
import type { ChaosSettings } from './settings.js';
import { lookIntoSpools } from './spool-look.js';
import { Trouble, writeKey } from './trouble.js';
import { readJournals, readLog, type LoggedLine, type Sabotage, type WorkerOrders } from './worker-log.js';

/** How often the runner looks. */
const TICK_MS = 50;
const PROGRESS_MS = 10_000;

/** What a run gave. */
export interface ChaosOutcome {
  readonly settings: ChaosSettings;
  readonly durationMs: number;
  readonly jobStatus: string;
  readonly ledger: ChaosLedger;
  readonly countedAgain: number;
  readonly requests: { readonly api: FaultCounts; readonly images: FaultCounts; readonly outage: number };
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

/** Options of {@link runChaos}. */
export interface RunChaosOptions {
  readonly print?: (line: string) => void;
  readonly sabotage?: Sabotage | undefined;
  /** Keep the folder even if all went well. */
  readonly keep?: boolean;
}

/** Runs workers in processes of their own against a contract server in this one, with everything going wrong, and adds up what came of it. */
export async function runChaos(
  settings: ChaosSettings,
  options: RunChaosOptions = {},
): Promise<ChaosOutcome> {
  const { print = () => undefined, sabotage, keep = false } = options;
  const program = await buildWorker();
  const folder = mkdtempSync(join(tmpdir(), 'antenna-chaos-'));
  const stage = await setStage(settings);
  const keyFile = join(folder, 'api-key');
  writeKey(keyFile, stage.key);
  const names = Array.from({ length: settings.workers }, (_, index) => `worker-${index + 1}`);
  const orders = Object.fromEntries(
    names.map((name, index) => [name, ordersOf(settings, { folder, keyFile, stage, name, index, sabotage })]),
  );
  const crew = new Crew(program, orders);
  const samples: MemorySample[] = [];
  const sampler = setInterval(() => {
    samples.push({ at: Date.now(), rss: process.memoryUsage.rss() });
  }, settings.sampleEveryMs);
  const startedAt = performance.now();
  try {
    crew.start();
    const parts = { settings, ...stage, keyFile, crew, random: seeded(settings.seed), print };
    const trouble = new Trouble(parts, performance.now());
    const timedOut = await untilDone(stage.job, trouble, settings, print);
    const durationMs = performance.now() - startedAt;
    print('stopping the workers');
    await crew.stop();
    stage.server.settle();
    const outcome = account({
      settings,
      stage,
      crew,
      trouble,
      orders,
      samples,
      durationMs,
      timedOut,
      folder,
    });
    if (outcome.ledger.findings.length === 0 && !keep) rmSync(folder, { recursive: true });
    return outcome;
  } finally {
    clearInterval(sampler);
    crew.dispose();
    rmSync(program, { force: true });
    await stage.images.close();
    await stage.server.close();
  }
}

type Stage = Awaited<ReturnType<typeof setStage>>;

/** The server, its images and its job. The logs are kept short: memory is watched. */
async function setStage(settings: ChaosSettings) {
  const { seed, tasks, leaseMs, maxDeliveries } = settings;
  const limits = { requestLimit: 10, ledgerLimit: 10, resultLimit: 10 };
  const server = createContractServer({
    dialect: 'api-key',
    seed,
    visibilityTimeoutMs: leaseMs,
    maxDeliveries,
    ...limits,
  });
  const images = createImageHost({ seed, requestLimit: 10 });
  const [{ url }] = await Promise.all([server.listen(), images.listen()]);
  const picture = images.generate({ width: 8, height: 8, insects: 0 }).url;
  const project = server.project({ name: 'Chaos' });
  const service = project.service({ name: 'crew' });
  const lostDeliveries = new Map<string, number>();
  const api = installFaults(server.faults, {
    mix: settings.api,
    random: seeded(seed + 1),
    onLostAnswer: (request, reply) => {
      if (!request.path.endsWith('/tasks/') || (reply.kind !== 'answer' && reply.kind !== 'partial')) return;
      for (const id of taskIdsOf(Buffer.from(reply.response.body).toString()))
        lostDeliveries.set(id, (lostDeliveries.get(id) ?? 0) + 1);
    },
  });
  const imageCounts = installFaults(images.faults, { mix: settings.images, random: seeded(seed + 2) });
  const job = project.job({
    pipeline: project.pipeline({ slug: PIPELINE.slug, algorithms: PIPELINE.algorithms }),
    images: Array.from({ length: tasks }, (_, index) => `${picture}?n=${index}`),
  });
  const key = service.key();
  return { server, images, url, project, service, key, job, lostDeliveries, api, imageCounts };
}

function taskIdsOf(body: string): string[] {
  try {
    const { tasks = [] } = JSON.parse(body) as { tasks?: { image_id: string }[] };
    return tasks.map(({ image_id }) => image_id);
  } catch {
    return [];
  }
}

function ordersOf(
  settings: ChaosSettings,
  own: {
    readonly folder: string;
    readonly keyFile: string;
    readonly stage: Stage;
    readonly name: string;
    readonly index: number;
    readonly sabotage: Sabotage | undefined;
  },
): WorkerOrders {
  const { leaseMs, attemptTimeoutMs, downloadTimeoutMs, modelMs, concurrency, lingerMs, sampleEveryMs } =
    settings;
  const at = (ending: string): string => join(own.folder, `${own.name}${ending}`);
  mkdirSync(at('.spool'));
  return {
    ...{ leaseMs, attemptTimeoutMs, downloadTimeoutMs, modelMs, concurrency, lingerMs, sampleEveryMs },
    seed: settings.seed + own.index,
    url: own.stage.url,
    keyFile: own.keyFile,
    projectId: own.stage.project.id,
    spoolDirectory: at('.spool'),
    journalFile: at('.journal'),
    logFile: at('.log'),
    sabotage: own.sabotage,
  };
}

/** @returns true if the run did not end in time. */
async function untilDone(
  job: JobHandle,
  trouble: Trouble,
  settings: ChaosSettings,
  print: (line: string) => void,
): Promise<boolean> {
  const startedAt = performance.now();
  let printedAt = startedAt;
  for (;;) {
    await delay(TICK_MS);
    const nowMs = performance.now();
    const counted = job.ledger.total('counted');
    trouble.tick(counted / settings.tasks, nowMs);
    if (isDone(job)) return false;
    if (nowMs - startedAt > settings.deadlineMs) return true;
    if (nowMs - printedAt < PROGRESS_MS) continue;
    printedAt = nowMs;
    print(`${Math.round((nowMs - startedAt) / 1_000)} s: ${counted} of ${settings.tasks} counted`);
  }
}

/** Over, or nothing is left that the server would still hand out. */
function isDone({ status, queue }: JobHandle): boolean {
  if (status !== 'STARTED') return true;
  return queue !== null && queue.waiting === 0 && queue.outstanding === 0;
}

function account(run: {
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
    accounts: book.images,
    counted: book.total('counted'),
    countedAgain: book.total('counted-again'),
    runs: readJournals(all.map(({ journalFile }) => journalFile)),
    lostDeliveries: stage.lostDeliveries,
    unhandled,
    spool: lookIntoSpools(
      all.map(({ spoolDirectory }) => spoolDirectory),
      (id) => book.image(id).outcome !== null,
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
    requests: { api: stage.api, images: stage.imageCounts, outage: trouble.outageRequests },
    keyReplaced: trouble.keyReplaced,
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

const memoryOf = (lines: readonly LoggedLine[]): MemorySample[] =>
  lines.flatMap((line) => (line.kind === 'rss' ? [{ at: line.at, rss: line.rss }] : []));

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
