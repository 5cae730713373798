import { createContractServer, createTestClock } from '../../../src/testing/index.js';
import type {
  ContractServer,
  PipelineHandle,
  ProjectHandle,
  Role,
  UserHandle,
} from '../../../src/testing/index.js';
import type { Recording, Setup } from './recording.js';
import { Symbols } from './symbols.js';

const PASSWORD = 'correct horse battery staple';

/** Slower than the gap between most recorded requests, so that only `settled` makes results count. */
const SAVE_DELAY_MS = 300;

export interface Stage {
  readonly server: ContractServer;
  readonly symbols: Symbols;
}

/** Builds the recorded state through the public API. */
export function buildStage(recording: Recording): Stage {
  const { setup } = recording;
  const server = createContractServer({
    dialect: recording.dialect,
    clock: createTestClock(),
    visibilityTimeoutMs: setup.server.visibility_timeout_s * 1000,
    maxDeliveries: setup.server.max_deliveries,
    maxOutstanding: setup.server.max_outstanding_per_job,
    saveDelayMs: SAVE_DELAY_MS,
    emptyWaitMs: 500,
  });
  const symbols = new Symbols();
  symbols.set('password', PASSWORD);
  const users = buildUsers(server, setup, symbols);
  const projects = buildProjects(server, setup, users);
  buildServices(setup, projects, symbols);
  const pipelines = buildPipelines(setup, projects);
  buildJobs(setup, projects, pipelines);
  if (setup.server.task_queue) server.faults.queueOutage();
  // Less than either real server took, so that the recorded time is enough for both.
  if (setup.server.broker) server.faults.brokerOutage({ delayMs: 800 });
  if (!symbols.get('key:worker')) symbols.set('key:worker', 'abcdefgh.abcdefghijklmnopqrstuvwxyzABCDEF');
  return { server, symbols };
}

function get<Value>(map: ReadonlyMap<unknown, Value>, key: unknown): Value {
  const value = map.get(key);
  if (value === undefined)
    throw new Error(`The recording's setup names ${String(key)}, which it does not describe.`);
  return value;
}

function buildUsers(server: ContractServer, setup: Setup, symbols: Symbols): Map<string, UserHandle> {
  const users = new Map<string, UserHandle>();
  for (const row of setup.users) {
    const user = server.user({
      id: row.id,
      email: row.email,
      name: row.name,
      password: PASSWORD,
      superuser: row.is_superuser,
      staff: row.is_staff,
      active: row.is_active,
    });
    users.set(row.symbol, user);
    symbols.set(row.symbol, user.token);
  }
  return users;
}

function buildProjects(
  server: ContractServer,
  setup: Setup,
  users: ReadonlyMap<string, UserHandle>,
): Map<number, ProjectHandle> {
  const projects = new Map<number, ProjectHandle>();
  for (const row of setup.projects) {
    const project = server.project({
      id: row.id,
      name: row.name,
      draft: row.draft,
      asyncPipelineWorkers: row.async_pipeline_workers,
      owner: get(users, row.owner),
      members: row.members
        .filter((member) => !member.role.startsWith('owner'))
        .map((member) => ({ user: get(users, member.user), role: member.role as Role })),
    });
    projects.set(row.id, project);
    for (const deployment of setup.deployments.filter((candidate) => candidate.project === row.id)) {
      const images = setup.captures.filter((capture) => capture.deployment === deployment.id);
      project.deployment({ id: deployment.id, name: deployment.name, images });
    }
  }
  return projects;
}

function buildServices(setup: Setup, projects: ReadonlyMap<number, ProjectHandle>, symbols: Symbols): void {
  for (const row of setup.services) {
    const [first, ...others] = row.project_ids.map((id) => get(projects, id));
    const service = first?.service({ id: row.id, name: row.name, endpointUrl: row.endpoint_url });
    for (const project of others) service?.join(project);
    for (const key of row.keys) {
      const handle = service?.key();
      if (!handle) continue;
      if (key.revoked) handle.revoke();
      symbols.set(key.symbol, handle.value);
    }
  }
}

function buildPipelines(
  setup: Setup,
  projects: ReadonlyMap<number, ProjectHandle>,
): Map<string, PipelineHandle> {
  const pipelines = new Map<string, PipelineHandle>();
  for (const row of setup.pipelines) {
    const [first, ...others] = row.projects;
    const project = get(projects, first?.project_id);
    const pipeline = project.pipeline({
      id: row.id,
      slug: row.slug,
      name: row.name,
      version: row.version,
      description: row.description,
      services: setup.services.filter((service) => service.pipelines.includes(row.slug)),
      enabled: first?.enabled ?? true,
      ...(first ? { configId: first.config_id } : {}),
      algorithms: setup.algorithms.filter((algorithm) => row.algorithms.includes(algorithm.key)),
    });
    for (const link of others) {
      pipeline.enableIn({ id: link.project_id }, { enabled: link.enabled, configId: link.config_id });
    }
    pipelines.set(row.slug, pipeline);
  }
  return pipelines;
}

function buildJobs(
  setup: Setup,
  projects: ReadonlyMap<number, ProjectHandle>,
  pipelines: ReadonlyMap<string, PipelineHandle>,
): void {
  for (const row of setup.jobs) {
    const job = get(projects, row.project).job({
      id: row.id,
      name: row.name,
      pipeline: get(pipelines, row.pipeline),
      deploymentId: row.deployment,
      limit: row.limit,
      dispatchMode: row.dispatch_mode,
      start: row.queued || row.status === 'REVOKED',
    });
    if (row.status === 'REVOKED') job.cancel();
    if (job.status !== row.status)
      throw new Error(`Job ${row.id} is ${job.status}, recorded as ${row.status}.`);
  }
}
