// One worker of a chaos run, in a process of its own. Everything it does is written down at once: it may be killed at any moment.
import { openSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import {
  AntennaClient,
  AntennaWorker,
  CommandExecutor,
  definePipeline,
  fileToken,
  silentLogger,
  type WorkerPipeline,
} from 'antenna-sdk';
import { PIPELINE } from './pipeline.js';
import { seeded } from './random.js';
import { journalLine, logLine, type WorkerLine, type WorkerOrders } from './worker-log.js';

const orders = JSON.parse(process.env['CHAOS_ORDERS'] ?? '') as WorkerOrders;
const log = (line: WorkerLine): void => {
  logLine(orders.logFile, line);
};
const describe = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

process.on('unhandledRejection', (reason) => {
  log({ kind: 'unhandled', what: 'rejection', text: describe(reason) });
});
process.on('uncaughtException', (error) => {
  log({ kind: 'unhandled', what: 'exception', text: describe(error) });
});
process.on('warning', (warning) => {
  log({ kind: 'unhandled', what: 'warning', text: describe(warning) });
});
log({ kind: 'started' });

// A runner that dies takes its workers along.
process.stdin.on('close', () => process.exit(2)).resume();
process.stdin.unref();

const sample = (): void => {
  const { rss, heapUsed } = process.memoryUsage();
  log({ kind: 'rss', rss, heap: heapUsed });
};
setInterval(sample, orders.sampleEveryMs).unref();

const random = seeded(orders.seed ^ process.pid);
// Opened once: a handler call costs one write.
const journal = openSync(orders.journalFile, 'a');
const [shortestMs, longestMs] = orders.modelMs;
const { sabotage, python } = orders;

const pythonPipeline = (script: string, helper: string): WorkerPipeline =>
  definePipeline({
    ...PIPELINE,
    batchSize: 8,
    executor: () =>
      new CommandExecutor({
        command: 'python3',
        args: [script],
        processes: 2,
        env: {
          PYTHONPATH: helper,
          CHAOS_JOURNAL: orders.journalFile,
          CHAOS_MODEL_MS: String(shortestMs),
          CHAOS_SEED: String(orders.seed ^ process.pid),
        },
        abortGraceMs: 100,
        recycle: { maxBatches: 25 },
        logger: { ...silentLogger, info: noteFault },
      }),
  });

/** What the child is about to do wrong, as it says itself. */
function noteFault({ reason }: Readonly<Record<string, unknown>>): void {
  if (String(reason).startsWith('fault: ')) log({ kind: 'event', name: String(reason), text: '' });
}

const pipelineHere = definePipeline({
  ...PIPELINE,
  async process({ id }) {
    writeSync(journal, journalLine('s', id));
    await delay(shortestMs + random() * (longestMs - shortestMs));
    writeSync(journal, journalLine('e', id));
    if (sabotage === 'reject' && random() < 0.01) void Promise.reject(new Error('left alone on purpose'));
    return { detections: [{ bbox: { x1: 1, y1: 1, x2: 9, y2: 9 } }] };
  },
});

const client = new AntennaClient({
  baseUrl: orders.url,
  tokenProvider: fileToken(orders.keyFile),
  tokenScheme: 'Api-Key',
  attemptTimeoutMs: orders.attemptTimeoutMs,
});

if (sabotage === 'drop-results') {
  const { results } = client;
  const submit = results.submit.bind(results);
  results.submit = (jobId, posted, options) =>
    random() < 0.05
      ? Promise.resolve({
          status: 'accepted',
          job_id: Number(jobId),
          results_queued: posted.length,
          tasks: [],
        })
      : submit(jobId, posted, options);
}

const worker = new AntennaWorker({
  client,
  projects: [orders.projectId],
  pipelines: [python ? pythonPipeline(python.script, python.helper) : pipelineHere],
  ...(python ? { processTimeoutMs: 1_500 } : {}),
  concurrency: orders.concurrency,
  leaseMs: orders.leaseMs,
  lingerMs: orders.lingerMs,
  download: { timeoutMs: orders.downloadTimeoutMs },
  ...(sabotage === 'no-spool' ? {} : { spool: { directory: orders.spoolDirectory } }),
});
worker.on('replayed', ({ count, outcome }) => {
  log({ kind: 'replayed', count, outcome });
});
for (const name of [
  'job_removed',
  'job_rejected',
  'job_stalled',
  'lease_learned',
  'lease_too_short',
  'lease_expired',
  'redelivered',
  'saving',
  'task_late',
  'clock_jump',
  'split',
  'abandoned',
  'stall',
  'trouble',
  'trouble_over',
] as const) {
  worker.on(name, (event) => {
    log({ kind: 'event', name, text: JSON.stringify(event) });
  });
}
worker.on('task', ({ outcome, imageId, attempt, error }) => {
  if (outcome === 'success') return;
  log({ kind: 'event', name: `task ${outcome}`, text: `${imageId} attempt ${attempt ?? 0}: ${error ?? ''}` });
});

try {
  const { jobs: _jobs, ...report } = await worker.run();
  log({ kind: 'report', report });
} catch (error) {
  // A refused credential at the start is an end with an exit code: a supervisor starts it again.
  log({ kind: 'failed', text: describe(error) });
  process.exitCode = 1;
} finally {
  await client.close();
}
