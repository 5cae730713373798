// `npm run build && npm run bench -- trouble`: a good job beside one in trouble, over real sockets.
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { AntennaClient, AntennaWorker, silentLogger, type PipelineDefinition } from 'antenna-sdk';
import { createContractServer, type ContractServer } from 'antenna-sdk/testing';
import { figure, withProgram, type Bench, type Row } from './harness.js';

const GOOD_TASKS = 400;
const BAD_TASKS = 500;
/** The trouble is there before the good job is opened. */
const HEAD_START_MS = 3_000;
/** A good job that is not done by then is not done at all. */
const PATIENCE_MS = 20_000;
/** At least half of its speed alone. */
const AT_MOST = 2;
/** Begins and ends as a JPEG does. */
const PIXEL = Buffer.from([0xff, 0xd8, 0xff, 0xd9]);

type Process = NonNullable<PipelineDefinition['process']>;

interface Trouble {
  readonly what: string;
  readonly inject?: (server: ContractServer, jobId: number) => void;
  /** Path on the images' host that serves the bad job. */
  readonly images?: Host;
  readonly process?: Process;
}

const nothing: Process = () => ({ detections: [] });
const ofJob = (route: 'tasks' | 'result', jobId: number) => ({
  route,
  where: ({ path }: { readonly path: string }) => path.includes(`/jobs/${jobId}/`),
});
const answer = (route: 'tasks' | 'result', status: number) => (server: ContractServer, jobId: number) => {
  server.faults.answer({ status, body: { detail: 'trouble' } }, ofJob(route, jobId));
};
const hang = (route: 'tasks' | 'result') => (server: ContractServer, jobId: number) => {
  server.faults.intervene(() => Promise.resolve({ kind: 'silence' }), ofJob(route, jobId));
};

const TROUBLES: readonly Trouble[] = [
  { what: 'its handler throws', process: () => Promise.reject(new Error('model')) },
  { what: 'its posts are answered 400', inject: answer('result', 400) },
  { what: 'its posts are answered 500', inject: answer('result', 500) },
  { what: 'its posts are answered 503', inject: answer('result', 503) },
  { what: 'its posts are answered 429', inject: answer('result', 429) },
  { what: 'its posts hang', inject: hang('result') },
  { what: 'its reservations are answered 403', inject: answer('tasks', 403) },
  { what: 'its reservations are answered 503', inject: answer('tasks', 503) },
  { what: 'its reservations hang', inject: hang('tasks') },
  { what: 'its images arrive at 1 kB/s', images: 'slow' },
  { what: 'its images have 60 MB', images: 'large' },
  { what: 'its image host never answers', images: 'silent' },
  { what: 'its handler takes 15 s', process: () => delay(15_000, { detections: [] }) },
  { what: 'its handler never returns', process: () => new Promise<never>(() => undefined) },
];

const HOSTS = {
  good: (response) => response.end(PIXEL),
  silent: () => undefined,
  slow: (response) => {
    response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': 100_000 });
    const timer = setInterval(() => response.write(Buffer.alloc(1_000)), 1_000);
    response.on('close', () => {
      clearInterval(timer);
    });
  },
} satisfies Record<string, (response: ServerResponse) => unknown>;

type Host = keyof typeof HOSTS | 'large';

/** Each kind of host on a port of its own. @param large - that of large images: sending them is work, and not the worker's. */
async function openHosts(large: string): Promise<{ urls: Record<Host, string>; close: () => void }> {
  const servers: Server[] = [];
  const urls: Partial<Record<Host, string>> = { large };
  for (const [name, serve] of Object.entries(HOSTS)) {
    const server = createServer((request, response) => {
      request.resume();
      response.setHeader('content-type', 'image/jpeg');
      serve(response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
    urls[name as keyof typeof HOSTS] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  return {
    urls: urls as Record<Host, string>,
    close: () => {
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}

const definitionOf = (slug: string, process: Process): PipelineDefinition => ({
  name: slug,
  slug,
  version: 1,
  algorithms: [{ key: `${slug}-box`, name: `${slug}-box`, task_type: 'detection' }],
  process,
});

/** @returns milliseconds from the good job's first sight to its last accepted result; undefined when it was not done in time. */
async function timeBeside(trouble: Trouble | undefined): Promise<number | undefined> {
  if (trouble?.images !== 'large') return timeBesideOf(trouble, '');
  return withProgram('large-images.mjs', [], (large) => timeBesideOf(trouble, large));
}

async function timeBesideOf(trouble: Trouble | undefined, large: string): Promise<number | undefined> {
  const hosts = await openHosts(large);
  const server = createContractServer({ dialect: 'api-key' });
  const { url } = await server.listen();
  const project = server.project({ name: 'Meadow' });
  const service = project.service({ name: 'bench' });
  const jobOf = (slug: string, host: Host, count: number) =>
    project.job({
      pipeline: project.pipeline({ slug, algorithms: [{ key: `${slug}-box`, task_type: 'detection' }] }),
      images: Array.from({ length: count }, (_, index) => `${hosts.urls[host]}/${index}.jpg`),
    });
  const client = new AntennaClient({ baseUrl: url, apiKey: service.key().value, logger: silentLogger });
  const worker = new AntennaWorker({
    client,
    projects: [project.id],
    register: false,
    pipelines: [definitionOf('good', nothing), definitionOf('bad', trouble?.process ?? nothing)],
  });
  const seen = new Map<number, number>();
  worker.on('job_added', ({ jobId }) => seen.set(jobId, performance.now()));
  if (trouble) {
    const { id } = jobOf('bad', trouble.images ?? 'good', BAD_TASKS);
    trouble.inject?.(server, id);
  }
  const running = worker.run({ handleSignals: false });
  try {
    await delay(HEAD_START_MS);
    const good = jobOf('good', 'good', GOOD_TASKS);
    const endsAt = performance.now() + PATIENCE_MS;
    while (good.results.length < GOOD_TASKS && performance.now() < endsAt) await delay(5);
    const seenAt = seen.get(good.id);
    return good.results.length < GOOD_TASKS || seenAt === undefined ? undefined : performance.now() - seenAt;
  } finally {
    await worker.stop({ graceMs: 0 });
    await running;
    await client.close();
    await server.close();
    hosts.close();
  }
}

/** @returns seconds for 300 jobs of two tasks each, from the first sight of the first to the last accepted result. */
async function manyJobs(dialect: 'api-key' | 'token'): Promise<number> {
  const hosts = await openHosts('');
  const server = createContractServer({ dialect });
  const { url } = await server.listen();
  const project = server.project({ name: 'Meadow' });
  const pipeline = project.pipeline({
    slug: 'good',
    algorithms: [{ key: 'good-box', task_type: 'detection' }],
  });
  const jobs = Array.from({ length: 300 }, () =>
    project.job({ pipeline, images: [0, 1].map((index) => `${hosts.urls.good}/${index}.jpg`) }),
  );
  const credential =
    dialect === 'token'
      ? { token: server.user({ superuser: true }).token, serviceName: 'bench' }
      : { apiKey: project.service({ name: 'bench' }).key().value };
  const client = new AntennaClient({ baseUrl: url, ...credential, logger: silentLogger });
  const worker = new AntennaWorker({
    client,
    projects: [project.id],
    register: false,
    pipelines: [definitionOf('good', nothing)],
  });
  const startedAt = performance.now();
  const running = worker.run({ handleSignals: false });
  try {
    const isDone = (): boolean => jobs.every(({ results }) => results.length === 2);
    while (!isDone() && performance.now() - startedAt < 60_000) await delay(20);
    return (performance.now() - startedAt) / 1_000;
  } finally {
    await worker.stop({ graceMs: 0 });
    await running;
    await client.close();
    await server.close();
    hosts.close();
  }
}

export const trouble: Bench = {
  name: 'trouble',
  title: `${GOOD_TASKS} tasks of a good job beside one in trouble`,
  run: async () => {
    const alone: number[] = [];
    for (let round = 0; round < 3; round += 1) alone.push((await timeBeside(undefined)) ?? PATIENCE_MS);
    const aloneMs = Math.min(...alone);
    const rows: Row[] = [figure('alone', aloneMs, 'ms')];
    for (const one of TROUBLES) {
      const ms = await timeBeside(one);
      rows.push({
        what: one.what,
        ours: ms === undefined ? `not done in ${PATIENCE_MS / 1_000} s` : `${ms.toPrecision(3)} ms`,
        raw: `${aloneMs.toPrecision(3)} ms`,
        ratio: ms === undefined ? '' : `${(ms / aloneMs).toFixed(2)} x`,
        target: `<= ${AT_MOST} x`,
        met: ms !== undefined && ms <= AT_MOST * aloneMs,
      });
    }
    for (const dialect of ['api-key', 'token'] as const)
      rows.push(figure(`300 jobs of two tasks, ${dialect}`, await manyJobs(dialect), 's', 10));
    return rows;
  },
};
