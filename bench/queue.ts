import { measure, withProgram } from './harness.js';

/** Where a worker finds its tasks. */
export interface Queue {
  readonly url: string;
}

/** What the server of {@link withQueue} saw. */
export interface QueueStats {
  readonly reserved: number;
  readonly accepted: number;
  readonly posts: number;
  readonly resultBytes: number;
  /** As compact JSON; 0 unless asked for. */
  readonly compactBytes: number;
}

/**
 * Runs `queue-server.mjs`, the least that a queue can be, in a process of its own, so that its work is not counted.
 * @param options.latencyMs - that every answer takes.
 * @param options.imageBytes - default 1,000.
 * @param options.imageFile - path of a file that every image is.
 */
export async function withQueue<Result>(
  options: {
    readonly tasks: number;
    readonly latencyMs?: number;
    readonly compact?: boolean;
    readonly imageBytes?: number;
    readonly imageFile?: string;
  },
  use: (queue: Queue) => Result | Promise<Result>,
): Promise<Result> {
  return withProgram('queue-server.mjs', [JSON.stringify(options)], (url) => use({ url }));
}

export async function statsOf({ url }: Queue): Promise<QueueStats> {
  return (await (await fetch(`${url}/stats`)).json()) as QueueStats;
}

/** What `worker-sdk.mjs` and `worker-raw.mjs` print. */
export interface WorkerFigures {
  readonly cpuMs: number;
  readonly perSecond: number;
  readonly busy: number;
  readonly rss: Readonly<Record<string, number>>;
}

/** Options of `worker-raw.mjs`: as many requests at a time, and as many tasks in hand, as the worker has by default. */
export const LOOP = { reserve: 64, hold: 256, downloads: 16, post: 50, posts: 2 };

/** One run of a worker's program over a queue of so many tasks, a fifth of them to warm up. */
export function runWorker(name: string, queue: Queue, tasks: number, options: object = {}): WorkerFigures {
  const given = JSON.stringify({ ...queue, tasks, warmUp: tasks / 5, ...options });
  return measure(name, given) as WorkerFigures;
}
