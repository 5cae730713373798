import { setTimeout as delay } from 'node:timers/promises';
import {
  AntennaClient,
  AntennaWorker,
  silentLogger,
  type AntennaWorkerOptions,
  type Dialect,
  type FetchLike,
  type PipelineDefinition,
  type WorkerEvents,
} from 'antenna-sdk';
import { createContractServer, type ContractServer, type JobHandle } from 'antenna-sdk/testing';
import { setupServer } from 'msw/node';
import { pipelineDefinition } from './pipelines.js';

/** How a test's client reaches the contract server. */
export type Carrier = 'msw' | 'socket';

/** Every way to meet the server: both dialects, through MSW and over a real socket. */
export const WORLDS: readonly (readonly [Dialect, Carrier])[] = [
  ['api-key', 'msw'],
  ['token', 'msw'],
  ['api-key', 'socket'],
  ['token', 'socket'],
];

/** A server with one project, one pipeline, one job, and a client that may work on it. */
export interface World {
  readonly server: ContractServer;
  readonly client: AntennaClient;
  readonly job: JobHandle;
  readonly projectId: number;
  worker(options?: Partial<AntennaWorkerOptions>): AntennaWorker;
  close(): Promise<void>;
}

/** Serves any image as a few bytes that name it; `image.invalid/404…` does not exist. */
export const imageFetch: FetchLike = (input) =>
  Promise.resolve(
    input.includes('/404')
      ? new Response('gone', { status: 404 })
      : new Response(Buffer.from(`image ${input}`), { status: 200 }),
  );

export const imageUrls = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `https://images.invalid/${index + 1}.jpg`);

export async function createWorld(
  dialect: Dialect,
  carrier: Carrier,
  options: { images?: readonly string[]; definition?: Partial<PipelineDefinition> } = {},
): Promise<World> {
  const server = createContractServer({ dialect, emptyWaitMs: 1 });
  const definition = pipelineDefinition(options.definition);
  const project = server.project({ name: 'Meadow' });
  const service = project.service({ name: 'tester' });
  const credential =
    dialect === 'api-key'
      ? { apiKey: service.key().value }
      : { token: server.user({ superuser: true }).token };
  const common = { ...credential, logger: silentLogger, serviceName: 'tester', retries: 1 };
  const closers: (() => Promise<void> | void)[] = [];
  let client: AntennaClient;
  if (carrier === 'socket') {
    const { url } = await server.listen();
    client = new AntennaClient({ baseUrl: url, ...common });
  } else {
    const msw = setupServer(...server.handlers);
    msw.listen({ onUnhandledRequest: 'error' });
    closers.push(() => {
      msw.close();
    });
    client = new AntennaClient({
      baseUrl: server.baseUrl,
      ...common,
      fetch: (input, init) => fetch(input, init),
    });
  }
  const report = await client.pipelines.register(project.id, [stripHandler(definition)]);
  const [pipeline] = report.pipelines;
  if (!pipeline) throw new Error('the pipeline was not registered');
  const job = project.job({ pipeline, images: options.images ?? imageUrls(6) });
  return {
    server,
    client,
    job,
    projectId: project.id,
    worker: (more = {}) =>
      new AntennaWorker({
        client,
        projects: [project.id],
        pipelines: [definition],
        pollIntervalMs: 5,
        fetch: imageFetch,
        random: () => 0.5,
        ...more,
      }),
    close: async () => {
      await client.close();
      for (const close of closers) await close();
      await server.close();
    },
  };
}

function stripHandler({ process: _process, ...config }: PipelineDefinition) {
  return config;
}

/** Collects the events of one name. */
export function eventsOf<Name extends keyof WorkerEvents>(
  worker: AntennaWorker,
  name: Name,
): WorkerEvents[Name][] {
  const events: WorkerEvents[Name][] = [];
  worker.on(name, (event) => events.push(event));
  return events;
}

/** Resolves when `condition` holds; only for what other processes or sockets do, never for policy. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(1);
}
