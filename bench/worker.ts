import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { atLeast, compare, figure, measure, median, program, type Bench, type Row } from './harness.js';
import {
  LOOP,
  runWorker,
  statsOf,
  withQueue,
  type Queue,
  type QueueStats,
  type WorkerFigures,
} from './queue.js';

const ROUNDS = 5;

type Serve = <Result>(
  options: { readonly tasks: number },
  use: (queue: Queue) => Result | Promise<Result>,
) => Promise<Result>;
type Contestant = (queue: Queue, tasks: number) => WorkerFigures;
const sdk: Contestant = (queue, tasks) => runWorker('worker-sdk.mjs', queue, tasks);
const loop: Contestant = (queue, tasks) => runWorker('worker-raw.mjs', queue, tasks, LOOP);

/** Both, round by round in turning order, each with a queue of its own. */
async function duel(
  serve: Serve,
  tasks: number,
  contestants: readonly [Contestant, Contestant],
  rounds = ROUNDS,
): Promise<[WorkerFigures[], WorkerFigures[]]> {
  const figures: [WorkerFigures[], WorkerFigures[]] = [[], []];
  for (let round = 0; round < rounds; round += 1)
    for (const index of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const))
      figures[index].push(await serve({ tasks }, (queue) => contestants[index](queue, tasks)));
  return figures;
}

const usPerTask = (figures: readonly WorkerFigures[]): number[] =>
  figures.map(({ perSecond }) => 1_000_000 / perSecond);

async function cpu(): Promise<Row[]> {
  const [ours, raw] = await duel(withQueue, 20_000, [sdk, loop]);
  const middle = (of: readonly WorkerFigures[]): number => median(of.map(({ cpuMs }) => cpuMs));
  return [
    compare({
      what: 'CPU a task, server that answers at once',
      ours: ours.map(({ cpuMs }) => cpuMs),
      raw: raw.map(({ cpuMs }) => cpuMs),
      unit: 'ms',
    }),
    figure('CPU a task above the loop', middle(ours) - middle(raw), 'ms', 0.15),
    compare({
      what: 'time a task, server that answers at once',
      ours: usPerTask(ours),
      raw: usPerTask(raw),
      unit: 'µs',
    }),
  ];
}

/** With a server in the next room. One that answers at once would measure CPU alone, which has a line of its own. */
async function throughput(): Promise<Row> {
  const serve: Serve = (options, use) => withQueue({ ...options, latencyMs: 5 }, use);
  const [ours, raw] = await duel(serve, 10_000, [sdk, loop], 3);
  return compare({
    what: 'time a task, 5 ms of latency',
    ours: usPerTask(ours),
    raw: usPerTask(raw),
    unit: 'µs',
    // 90 % of the throughput.
    atMost: 1.11,
  });
}

/** A model of 50 ms, one image at a time, 30 ms away from the server and the images. */
async function busy(): Promise<Row> {
  const tasks = 400;
  const { busy: share } = await withQueue({ tasks, latencyMs: 30 }, (queue) =>
    runWorker('worker-sdk.mjs', queue, tasks, { modelMs: 50, options: { concurrency: 1 } }),
  );
  return atLeast('model of 50 ms at work, 30 ms of latency', share * 100, '%', 97);
}

async function spool(): Promise<Row> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-spool-'));
  try {
    const spooling: Contestant = (queue, tasks) =>
      runWorker('worker-sdk.mjs', queue, tasks, { options: { spool: { directory } } });
    const [ours, raw] = await duel(withQueue, 20_000, [spooling, sdk]);
    return compare({
      what: 'time a task with a spool, against without',
      ours: usPerTask(ours),
      raw: usPerTask(raw),
      unit: 'µs',
      // 80 % of the throughput.
      atMost: 1.25,
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function stall(): Promise<Row[]> {
  const results = 24;
  const runs: { ours: number; raw: number }[] = [];
  const wire: QueueStats[] = [];
  for (let round = 0; round < 3; round += 1) {
    await withQueue({ tasks: results, compact: true }, async (queue) => {
      runs.push(measure('worker-stall.mjs', JSON.stringify({ ...queue, results })) as (typeof runs)[number]);
      wire.push(await statsOf(queue));
    });
  }
  return [
    figure('longest stall with 24 results of 3.8 MB', median(runs.map(({ ours }) => ours)), 'ms', 50),
    figure('longest stall of one JSON.stringify of 8 of them', median(runs.map(({ raw }) => raw)), 'ms'),
    compare({
      what: 'bytes on the wire, against compact JSON',
      ours: wire.map(({ resultBytes }) => resultBytes / 1e6),
      raw: wire.map(({ compactBytes }) => compactBytes / 1e6),
      unit: 'MB',
      atMost: 1,
    }),
  ];
}

/** SIGTERM with a hundred tasks in hand. */
async function stop(): Promise<Row[]> {
  const inHand = 100;
  const graceMs = 25_000;
  return withQueue({ tasks: 1_000 }, async (queue) => {
    const options = JSON.stringify({ ...queue, inHand, modelMs: 1_000, graceMs });
    const child = spawn(process.execPath, [program('worker-stop.mjs'), options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let signalledAt = 0;
    let last = '';
    for await (const line of createInterface(child.stdout)) {
      last = line;
      if (!line.startsWith('in hand')) continue;
      signalledAt = performance.now();
      child.kill('SIGTERM');
    }
    if (child.exitCode === null) await once(child, 'exit');
    const seconds = (performance.now() - signalledAt) / 1_000;
    const report = JSON.parse(last) as Record<
      'taken' | 'posted' | 'abandoned' | 'spooled' | 'lapsed' | 'dropped',
      number
    >;
    const ended = report.posted + report.abandoned + report.spooled + report.lapsed + report.dropped;
    const { accepted } = await statsOf(queue);
    return [
      figure('from SIGTERM with 100 tasks in hand to the exit', seconds, 's', graceMs / 1_000),
      atLeast(`tasks accounted for, ${report.posted} of them posted`, (100 * ended) / report.taken, '%', 100),
      atLeast('posted tasks that the server has', (100 * accepted) / report.posted, '%', 100),
    ];
  });
}

/** The worker against what somebody would write by hand: the same requests, and none of the promises. */
export const worker: Bench = {
  name: 'worker',
  title: 'Worker, against a loop written by hand',
  async run() {
    return [
      ...(await cpu()),
      await throughput(),
      await busy(),
      await spool(),
      ...(await stall()),
      ...(await stop()),
    ];
  },
};
