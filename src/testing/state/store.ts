import type { Clock } from '../time/clock.js';
import type {
  AlgorithmRow,
  CaptureRow,
  CategoryMapRow,
  DeploymentRow,
  JobRow,
  KeyRow,
  PipelineConfigRow,
  PipelineRow,
  ProjectRow,
  ServiceRow,
  UserRow,
} from './rows.js';
import { Table } from './table.js';

/** Everything the server remembers. */
export class Store {
  readonly users = new Table<UserRow>();
  readonly projects = new Table<ProjectRow>();
  readonly deployments = new Table<DeploymentRow>();
  readonly captures = new Table<CaptureRow>();
  readonly services = new Table<ServiceRow>();
  readonly keys = new Table<KeyRow>();
  readonly algorithms = new Table<AlgorithmRow>();
  readonly categoryMaps = new Table<CategoryMapRow>();
  readonly pipelines = new Table<PipelineRow>();
  readonly configs = new Table<PipelineConfigRow>();
  readonly jobs = new Table<JobRow>();
  /** Wall time of the last heartbeat per throttle key (contract §4.9, §4.12). */
  readonly heartbeats = new Map<string, number>();
  /** Next id of a stored detection. */
  nextDetectionId = 1;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wallNow(): number {
    return this.#clock.wallNow();
  }

  algorithmsOf(pipeline: PipelineRow): AlgorithmRow[] {
    return [...pipeline.algorithmIds].flatMap((id) => this.algorithms.get(id) ?? []);
  }

  /** Pipelines enabled in a project, by name and version (contract §4.5). */
  pipelinesOf(projectId: number): PipelineRow[] {
    return this.pipelines
      .filter((pipeline) =>
        pipeline.configs.some((config) => config.projectId === projectId && config.enabled),
      )
      .sort(byNameAndVersion);
  }

  servicesOf(pipelineId: number): ServiceRow[] {
    return this.services.filter((service) => service.pipelineIds.has(pipelineId));
  }

  userByToken(token: string): UserRow | undefined {
    return this.users.find((user) => user.token === token);
  }
}

export function byNameAndVersion(a: PipelineRow, b: PipelineRow): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.version - b.version || a.id - b.id;
}
