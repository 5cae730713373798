// `npx tsx bench/contract-server.ts [tasks] [workers]`: a whole job through the contract server over real sockets.
import { pathToFileURL } from 'node:url';
import { createContractServer } from 'antenna-sdk/testing';
import { Pool } from 'undici';
import { figure, printTable, type Bench, type Row } from './harness.js';

const BATCH = 25;
const TARGET_SECONDS_PER_10K = 20;
const WHEN = '2026-01-01T00:00:00Z';

interface Task {
  readonly image_id: string;
  readonly image_url: string;
  readonly reply_subject: string;
}

/** A result with one insect, as a worker posts it. */
function resultOf(task: Task): unknown {
  const classification = {
    classification: 'moth',
    scores: [0.9, 0.1],
    algorithm: { name: 'c', key: 'bench-classifier' },
    timestamp: WHEN,
  };
  const detection = {
    source_image_id: task.image_id,
    bbox: { x1: 1, y1: 2, x2: 30, y2: 40 },
    algorithm: { name: 'd', key: 'bench-detector' },
    timestamp: WHEN,
    classifications: [classification],
  };
  return {
    reply_subject: task.reply_subject,
    result: {
      pipeline: 'bench',
      total_time: 0.1,
      source_images: [{ id: task.image_id, url: task.image_url }],
      detections: [detection],
    },
  };
}

async function postJson(pool: Pool, path: string, authorization: string, body: unknown): Promise<unknown> {
  const answer = await pool.request({
    method: 'POST',
    path,
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (answer.statusCode !== 200) throw new Error(`${path} answered ${answer.statusCode}`);
  return answer.body.json();
}

/** One worker: takes batches and posts every result by itself, which is the dearest way. */
async function work(pool: Pool, jobPath: string, authorization: string): Promise<void> {
  for (;;) {
    const { tasks } = (await postJson(pool, `${jobPath}/tasks/`, authorization, { batch_size: BATCH })) as {
      tasks: Task[];
    };
    if (tasks.length === 0) return;
    for (const task of tasks) {
      await postJson(pool, `${jobPath}/result/`, authorization, { results: [resultOf(task)] });
    }
  }
}

/** Runs one job of `taskCount` images with `workers` at once, server and workers in this one process. */
async function runJob(taskCount: number, workers: number): Promise<Row[]> {
  const server = createContractServer({ dialect: 'api-key', visibilityTimeoutMs: 3_600_000 });
  const project = server.project();
  const authorization = `Api-Key ${project.service().key().value}`;
  const job = project.job({ pipeline: project.pipeline({ slug: 'bench' }), images: taskCount });
  const { origin } = await server.listen();
  const pool = new Pool(origin, { connections: workers });
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: workers }, () => work(pool, `/api/v2/jobs/${job.id}`, authorization)),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  await pool.close();
  await server.close();
  if (job.status !== 'SUCCESS' || job.counts.captures !== taskCount) {
    throw new Error(`The job ended as ${job.status} with ${job.counts.captures} of ${taskCount} captures.`);
  }
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  return [
    figure(
      `${taskCount} tasks, ${workers} workers`,
      seconds,
      's',
      (taskCount / 10_000) * TARGET_SECONDS_PER_10K,
    ),
    figure('tasks a second', taskCount / seconds, '/s'),
    figure('heap afterwards', heapUsed / 2 ** 20, 'MiB'),
    figure('resident afterwards', rss / 2 ** 20, 'MiB'),
  ];
}

/** The contract server under load: a test suite must not wait for its double. */
export const contractServer: Bench = {
  name: 'contract-server',
  title: 'A job through the contract server over real sockets, one post a result',
  run: () => runJob(10_000, 8),
};

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [tasks = '10000', workers = '8'] = process.argv.slice(2);
  printTable(await runJob(Number(tasks), Number(workers)));
}
