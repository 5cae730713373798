import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { measure, program } from './harness.js';

/** Where a worker finds its tasks. */
export interface Queue {
  readonly url: string;
  readonly key?: string;
}

/** What the server of {@link withQueue} saw. */
export interface QueueStats {
  readonly reserved: number;
  readonly accepted: number;
  readonly posts: number;
  readonly resultBytes: number;
}

/** Starts a server with a job in a process of its own, so that its work is not counted. */
async function withServer<Result>(
  name: string,
  options: object,
  use: (queue: Queue) => Result | Promise<Result>,
): Promise<Result> {
  const server = spawn(process.execPath, [program(name), JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await once(server.stdout, 'data')) as [Buffer];
    const text = line.toString().trim();
    return await use(text.startsWith('{') ? (JSON.parse(text) as Queue) : { url: text });
  } finally {
    server.kill();
    await once(server, 'exit');
  }
}

/** The least that a queue can be: the program `queue-server.mjs`. */
export const withQueue = <Result>(
  options: { readonly tasks: number; readonly latencyMs?: number },
  use: (queue: Queue) => Result | Promise<Result>,
): Promise<Result> => withServer('queue-server.mjs', options, use);

/** The contract server, which checks, saves and counts as the real one does. */
export const withContractServer = <Result>(
  options: { readonly tasks: number },
  use: (queue: Queue) => Result | Promise<Result>,
): Promise<Result> => withServer('contract-queue.mjs', options, use);

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

/** One run of a worker's program over a queue of so many tasks, a fifth of them to warm up. */
export function runWorker(name: string, queue: Queue, tasks: number, options: object = {}): WorkerFigures {
  const given = JSON.stringify({ ...queue, tasks, warmUp: tasks / 5, ...options });
  return measure(name, given) as WorkerFigures;
}
