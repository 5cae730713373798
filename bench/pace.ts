// `npx tsx bench/pace.ts [tasks]`: workers that could do far more than the server saves, on a clock of their own.
import { pathToFileURL } from 'node:url';
import {
  AntennaClient,
  AntennaWorker,
  silentLogger,
  type FetchLike,
  type PipelineDefinition,
} from 'antenna-sdk';
import {
  createContractServer,
  createTestClock,
  type ContractServer,
  type JobHandle,
  type TestClock,
} from 'antenna-sdk/testing';
import { atLeast, figure, printTable, type Bench, type Row } from './harness.js';

/** One run: a job, a server that saves it at some rate, and workers that would be faster. */
export interface PaceRun {
  readonly workers: number;
  readonly leaseMs: number;
  readonly tasks: number;
  /** Results saved a second. Default: all at once. */
  readonly perSecond?: number;
  /** After so many are saved the rate is another. */
  readonly then?: { readonly afterSaved: number; readonly perSecond: number };
  /** Images that each worker can do a second. Default 300. */
  readonly imagesPerSecond?: number;
  /** Hides the numbers that the pace goes by: what a worker does that knows nothing of them. */
  readonly blind?: boolean;
  /** Shares of results whose update of progress is lost (T52). */
  readonly lostUpdates?: number;
}

/** What came of a run; times are the clock's. */
export interface PaceFigures {
  readonly reservedPerTask: number;
  readonly computedPerTask: number;
  readonly savedPerSecond: number;
  readonly maxDeliveries: number;
  /** Requests in all, and those for the job's progress. */
  readonly requests: number;
  readonly looks: number;
  /** Tasks of the worker that did most, for one of the worker that did least. */
  readonly unevenness: number;
  /** Saved a second between two moments after the change of rate. */
  readonly savedBetween: (fromMs: number, toMs: number) => number;
  readonly status: string;
}

const MAX_DELIVERIES = 5;
const LATENCY_MS = 20;
const ALGORITHM = { key: 'pace-box', name: 'pace-box', task_type: 'detection' };

export async function runPace(run: PaceRun): Promise<PaceFigures> {
  const clock = createTestClock();
  const { perSecond, lostUpdates = 0 } = run;
  const server = createContractServer({
    dialect: 'api-key',
    clock,
    visibilityTimeoutMs: run.leaseMs,
    maxDeliveries: MAX_DELIVERIES,
    saving: { perSecond, lostUpdates },
    requestLimit: 100_000,
  });
  server.faults.latency(LATENCY_MS);
  const project = server.project();
  const service = project.service();
  const job = project.job({
    pipeline: project.pipeline({ slug: 'pace', algorithms: [ALGORITHM] }),
    images: run.tasks,
  });
  const workers = Array.from({ length: run.workers }, (_, index) =>
    createWorker(run, {
      server,
      clock,
      project: project.id,
      key: service.key().value,
      random: seeded(index + 1),
    }),
  );
  const change = watchForChange(run, server, job, clock);
  const reports = await clock.runUntil(
    Promise.all(workers.map((worker) => worker.run({ until: 'drained' }))),
    6 * 3_600_000,
  );
  change.stop();
  const done = reports.map(({ succeeded }) => succeeded);
  return {
    ...figuresOf(run, server, job, done),
    savedBetween: savedBetween(job, change),
    status: job.status,
  };
}

interface Place {
  readonly server: ContractServer;
  readonly clock: TestClock;
  readonly project: number;
  readonly key: string;
  readonly random: () => number;
}

function createWorker(run: PaceRun, { server, clock, project, key, random }: Place): AntennaWorker {
  const client = new AntennaClient({
    baseUrl: server.baseUrl,
    apiKey: key,
    fetch: run.blind ? withoutNumbers(server.fetch) : server.fetch,
    clock,
    logger: silentLogger,
    random,
  });
  const taskMs = 1000 / (run.imagesPerSecond ?? 300);
  const pipeline: PipelineDefinition = {
    name: 'Pace',
    slug: 'pace',
    version: 1,
    algorithms: [ALGORITHM],
    process: () =>
      new Promise((resolve) => {
        clock.schedule(taskMs, () => {
          resolve({ detections: [{ bbox: { x1: 1, y1: 1, x2: 9, y2: 9 } }] });
        });
      }),
  };
  const picture: FetchLike = () =>
    Promise.resolve(new Response('an image', { headers: { 'content-type': 'image/jpeg' } }));
  return new AntennaWorker({
    client,
    projects: [project],
    pipelines: [pipeline],
    register: false,
    concurrency: 1,
    leaseMs: run.leaseMs,
    maxDeliveries: MAX_DELIVERIES,
    fetch: picture,
    random,
  });
}

const MARK = 'hidden.';

/** Reply subjects are opaque by contract; here they are opaque in fact. */
function withoutNumbers(fetch: FetchLike): FetchLike {
  return async (input, init) => {
    const { body } = init;
    const posted =
      typeof body === 'string' ? body : body instanceof Uint8Array ? Buffer.from(body).toString() : undefined;
    const answer = await fetch(
      input,
      posted === undefined ? init : { ...init, body: posted.replaceAll(MARK, '') },
    );
    const text = await answer.text();
    return new Response(text.replaceAll('"$JS.', `"${MARK}$JS.`), {
      status: answer.status,
      headers: answer.headers,
    });
  };
}

/** Changes the rate when enough is saved, and remembers when that was. */
function watchForChange(run: PaceRun, server: ContractServer, job: JobHandle, clock: TestClock) {
  const state = { atMs: Number.NaN, stop: (): void => undefined };
  const { then } = run;
  const look = (): void => {
    if (then && job.ledger.total('counted') >= then.afterSaved) {
      server.saving.perSecond = then.perSecond;
      state.atMs = clock.wallNow();
      return;
    }
    state.stop = clock.schedule(100, look);
  };
  if (then) look();
  return state;
}

function savedBetween(job: JobHandle, change: { readonly atMs: number }) {
  const saved = job.ledger.events.filter(({ kind }) => kind === 'counted').map(({ at }) => at - change.atMs);
  return (fromMs: number, toMs: number): number =>
    (1000 * saved.filter((atMs) => atMs >= fromMs && atMs < toMs).length) / (toMs - fromMs);
}

function figuresOf(
  { tasks }: PaceRun,
  server: ContractServer,
  { ledger }: JobHandle,
  done: readonly number[],
): Omit<PaceFigures, 'savedBetween' | 'status'> {
  const times = (kind: string): number[] =>
    ledger.events.filter((event) => event.kind === kind).map(({ at }) => at);
  const durationMs = Math.max(...times('counted')) - Math.min(...times('delivered'));
  return {
    reservedPerTask: ledger.total('delivered') / tasks,
    computedPerTask: done.reduce((sum, count) => sum + count, 0) / tasks,
    savedPerSecond: (1000 * ledger.total('counted')) / durationMs,
    maxDeliveries: Math.max(...[...ledger.images.values()].map(({ deliveries }) => deliveries)),
    requests: server.requests.length,
    looks: server.requests.filter(({ method, path }) => method === 'GET' && /\/jobs\/\d+\/$/.test(path))
      .length,
    unevenness: Math.max(...done) / Math.min(...done),
  };
}

/** Numbers in [0, 1) that a seed repeats (a linear congruential generator: enough for jitter). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

const RATE = 6;
const FASTER = 4 * RATE;

async function slowRows(workers: number, leaseMs: number, tasks: number): Promise<Row[]> {
  const got = await runPace({ workers, leaseMs, tasks, perSecond: RATE });
  const what = (text: string): string =>
    `${workers} worker${workers > 1 ? 's' : ''}, ${leaseMs / 1000} s: ${text}`;
  const even = workers > 1 ? [figure(what('most for one of least'), got.unevenness, '', 2)] : [];
  return [
    figure(what('reserved per task'), got.reservedPerTask, '', 1.05),
    figure(what('computed per task'), got.computedPerTask, '', 1.05),
    atLeast(what('share of the server’s rate'), (100 * got.savedPerSecond) / RATE, '%', 95),
    figure(what('most deliveries of a task'), got.maxDeliveries, '', MAX_DELIVERIES - 1),
    ...even,
    figure(
      what('looks at the job a minute and worker'),
      (got.looks * 60 * got.savedPerSecond) / tasks / workers,
      '',
    ),
  ];
}

async function fasterRows(workers: number, leaseMs: number): Promise<Row[]> {
  // Enough that some are left two leases after the change.
  const tasks = Math.ceil((60 * RATE + (2 * leaseMs * FASTER) / 1000) * 1.3);
  const then = { afterSaved: 60 * RATE, perSecond: FASTER };
  const got = await runPace({ workers, leaseMs, tasks, perSecond: RATE, then });
  const followed = got.savedBetween(2 * leaseMs, 2 * leaseMs + 10_000);
  const what = `${workers} workers, ${leaseMs / 1000} s: of four times the rate after two leases`;
  return [
    atLeast(what, (100 * followed) / FASTER, '%', 95),
    figure(
      `${workers} workers, ${leaseMs / 1000} s: reserved per task meanwhile`,
      got.reservedPerTask,
      '',
      1.05,
    ),
  ];
}

async function promptRows(workers: number, leaseMs: number, tasks: number): Promise<Row[]> {
  const given = { workers, leaseMs, tasks: tasks * workers };
  const before = await runPace({ ...given, blind: true });
  const got = await runPace(given);
  const what = (text: string): string => `saves at once, ${workers} workers, ${leaseMs / 1000} s: ${text}`;
  return [
    atLeast(what('throughput of before'), (100 * got.savedPerSecond) / before.savedPerSecond, '%', 98),
    figure(what('looks per worker'), got.looks / workers, ''),
    figure(what('requests, of before'), got.requests / before.requests, 'x', 1.05),
  ];
}

async function runAll(tasks: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const leaseMs of [30_000, 300_000]) {
    for (const workers of [1, 2, 8]) rows.push(...(await slowRows(workers, leaseMs, tasks)));
    for (const workers of [1, 8]) rows.push(...(await fasterRows(workers, leaseMs)));
    for (const workers of [1, 8]) rows.push(...(await promptRows(workers, leaseMs, tasks)));
  }
  return rows;
}

/** The pace of the server's saving: nothing done twice, and nothing lost where it keeps up. */
export const pace: Bench = {
  name: 'pace',
  title:
    'A server that saves 6 results a second, and workers that each could do 300 (times by a clock that does not wait)',
  run: () => runAll(2_000),
};

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [tasks = '2000'] = process.argv.slice(2);
  printTable(await runAll(Number(tasks)));
}
