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
  type WorkerReport,
} from 'antenna-sdk';
import {
  createContractServer,
  createTestClock,
  type ContractServer,
  type ContractServerOptions,
  type JobHandle,
  type ProjectHandle,
  type TestClock,
} from 'antenna-sdk/testing';
import { sleep, type Clock } from '../../../src/time/clock.js';
import { pipelineDefinition } from '../../support/pipelines.js';

/** A server, a clock that moves both it and the worker, and what tests need of them. */
export interface Rig {
  readonly clock: TestClock;
  readonly server: ContractServer;
  readonly project: ProjectHandle;
  readonly client: AntennaClient;
  /** @param images - how many, or their URLs. */
  job(images: number | readonly string[], pipeline?: string): JobHandle;
  worker(
    options?: Partial<AntennaWorkerOptions> & { definition?: Partial<PipelineDefinition> },
  ): AntennaWorker;
  /** Another client with a credential of its own, for a second worker. */
  anotherClient(): AntennaClient;
}

export interface RigOptions extends Partial<ContractServerOptions> {
  readonly dialect?: Dialect;
  /** Milliseconds that every request takes. */
  readonly latencyMs?: number;
  /** How far the wall clock of the worker's machine is ahead of the server's. Default: not at all. */
  readonly skewMs?: () => number;
}

/** Any image, at once. */
export const anyImage: FetchLike = (input) =>
  Promise.resolve(new Response(Buffer.from(`image ${input}`), { status: 200 }));

/** Any image, after a while on the rig's clock. */
export function slowImages(clock: TestClock, delayMs: number): FetchLike {
  return async (input, init) => {
    await sleep(clock, delayMs, init.signal);
    return new Response(Buffer.from(`image ${input}`), { status: 200 });
  };
}

/** For the message when a test hangs. */
let lastWorker: AntennaWorker | undefined;

export function createRig(options: RigOptions = {}): Rig {
  const { dialect = 'api-key', latencyMs = 20, skewMs = () => 0, ...serverOptions } = options;
  const clock = createTestClock();
  const ofMachine: Clock = {
    now: () => clock.now(),
    wallNow: () => clock.wallNow() + skewMs(),
    schedule: (delayMs, run) => clock.schedule(delayMs, run),
  };
  const server = createContractServer({ dialect, clock, reaper: false, ...serverOptions });
  const project = server.project({ name: 'Meadow' });
  const service = project.service({ name: 'tester' });
  const pipelines = new Map<string, { id: number }>();
  const pipelineOf = (slug: string): { id: number } => {
    const known = pipelines.get(slug);
    if (known) return known;
    const made = project.pipeline({
      slug,
      algorithms: [
        { key: `${slug}-box`, task_type: 'detection' },
        { key: `${slug}-species`, task_type: 'classification', labels: ['Actias luna', 'Arctia caja'] },
      ],
    });
    pipelines.set(slug, made);
    return made;
  };
  pipelineOf('test-moths');
  if (latencyMs > 0) server.faults.latency(latencyMs);
  const makeClient = (): AntennaClient =>
    new AntennaClient({
      baseUrl: server.baseUrl,
      ...(dialect === 'api-key'
        ? { apiKey: service.key().value }
        : { token: server.user({ superuser: true }).token }),
      fetch: server.fetch,
      clock: ofMachine,
      logger: silentLogger,
      random: () => 0.5,
      serviceName: 'tester',
    });
  const client = makeClient();
  return {
    clock,
    server,
    project,
    client,
    job: (images, slug = 'test-moths') => project.job({ pipeline: pipelineOf(slug), images }),
    worker: ({ definition, ...more } = {}) => {
      lastWorker = new AntennaWorker({
        client,
        projects: [project.id],
        pipelines: [rigPipeline('test-moths', definition)],
        register: false,
        fetch: anyImage,
        random: () => 0.5,
        ...more,
      });
      return lastWorker;
    },
    anotherClient: makeClient,
  };
}

/** A definition whose algorithms the rig's server knows. */
export function rigPipeline(slug: string, changes: Partial<PipelineDefinition> = {}): PipelineDefinition {
  const base = pipelineDefinition({
    slug,
    name: slug,
    algorithms: [
      { key: `${slug}-box`, name: `${slug}-box`, task_type: 'detection' },
      {
        key: `${slug}-species`,
        name: `${slug}-species`,
        task_type: 'classification',
        category_map: { data: [{ label: 'Actias luna' }, { label: 'Arctia caja' }] },
      },
    ],
    ...changes,
  });
  if (changes.processBatch === undefined && changes.executor === undefined) return base;
  const { process: _process, ...rest } = base;
  return rest;
}

/** A model that takes so long on the rig's clock. */
export function modelOf(clock: TestClock, durationMs: number | (() => number)) {
  return async () => {
    await sleep(clock, typeof durationMs === 'number' ? durationMs : durationMs());
    return { detections: [{ bbox: { x1: 1, y1: 1, x2: 9, y2: 9 } }] };
  };
}

/** Moves the clock until the work is done. @throws when it is not done after so much virtual time. */
export async function drive<Value>(
  clock: TestClock,
  work: Promise<Value>,
  options: { readonly maxMs?: number; readonly stepMs?: number; readonly disk?: boolean } = {},
): Promise<Value> {
  const { maxMs = 3_600_000, stepMs = 250, disk = false } = options;
  const progress: { settled: boolean } = { settled: false };
  const mark = (): void => {
    progress.settled = true;
  };
  work.then(mark, mark);
  const endAt = clock.now() + maxMs;
  while (clock.now() < endAt) {
    await clock.advance(stepMs);
    if (disk) await diskTurn();
    if (progress.settled) return work;
  }
  const state = `${lastWorker?.state ?? ''} ${JSON.stringify(lastWorker?.metrics())}`;
  throw new Error(`still not done after ${maxMs} ms of virtual time: ${state}`);
}

/** Disks do not go by the rig's clock: gives them a moment of the real one, or hours would pass during one write. */
const diskTurn = (): Promise<void> => delay(2);

/** Moves the clock until a condition holds. */
export async function driveUntil(
  clock: TestClock,
  condition: () => boolean,
  maxMs = 3_600_000,
  disk = false,
): Promise<void> {
  const endAt = clock.now() + maxMs;
  while (!condition()) {
    if (clock.now() >= endAt) throw new Error(`did not happen within ${maxMs} ms of virtual time`);
    await clock.advance(50);
    if (disk) await diskTurn();
  }
}

/** Stops a worker that runs, on the rig's clock. @returns the report of the run. */
export async function stopDriven<Report>(
  { clock }: Pick<Rig, 'clock'>,
  worker: AntennaWorker,
  running: Promise<Report>,
  options: Parameters<AntennaWorker['stop']>[0] & Parameters<typeof drive>[2] = {},
): Promise<Report> {
  const { graceMs, ...steps } = options;
  const stopping = worker.stop(graceMs === undefined ? {} : { graceMs });
  const report = await drive(clock, running, steps);
  await stopping;
  return report;
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

/** How the tasks that a run took are accounted for. */
export function accounted(report: WorkerReport): number {
  return report.posted + report.dropped + report.lapsed + report.spooled + report.abandoned;
}
