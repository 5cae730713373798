import { assertKind, assertOptions } from '../check.js';
import type { Antenna } from '../antenna.js';
import { insertCaptures, times } from '../state/new-rows.js';
import type { ProjectRow, Role } from '../state/rows.js';
import { addJobTo } from './job.js';
import type { ImageOptions, JobHandle, JobOptions } from './job.js';
import { addPipeline, PipelineHandle } from './pipeline.js';
import type { PipelineOptions } from './pipeline.js';
import { addService, ServiceHandle } from './service.js';
import type { ServiceOptions } from './service.js';

/** A project to make. */
export interface ProjectOptions {
  readonly id?: number;
  /** Default `Project <id>`. */
  readonly name?: string;
  /** Visible to members only; a key cannot work in it (T14). Default false. */
  readonly draft?: boolean;
  /** Whether new jobs are `async_api`. Default true; the `api-key` server's own default is false. */
  readonly asyncPipelineWorkers?: boolean;
  /** The owner becomes a member with the role ProjectManager. */
  readonly owner?: { readonly id: number };
  readonly members?: readonly { readonly user: { readonly id: number }; readonly role?: Role }[];
}

/** A project, and the place to build what belongs to it. */
export class ProjectHandle {
  readonly #antenna: Antenna;
  readonly #row: ProjectRow;

  constructor(antenna: Antenna, row: ProjectRow) {
    this.#antenna = antenna;
    this.#row = row;
  }

  get id(): number {
    return this.#row.id;
  }

  get name(): string {
    return this.#row.name;
  }

  /** Adds a pull service. */
  service(options: ServiceOptions = {}): ServiceHandle {
    return addService(this.#antenna, this.#row.id, options);
  }

  /** Adds a pipeline, enabled in this project. */
  pipeline(options: PipelineOptions): PipelineHandle {
    return addPipeline(this.#antenna, this.#row.id, options);
  }

  /** Pipelines enabled here, also those that a worker has registered. */
  get pipelines(): readonly PipelineHandle[] {
    return this.#antenna.store.pipelinesOf(this.#row.id).map((row) => new PipelineHandle(this.#antenna, row));
  }

  /** Services of the project, also those that somebody made by the API. */
  get services(): readonly ServiceHandle[] {
    return this.#antenna.store.services
      .filter(({ projectIds }) => projectIds.has(this.#row.id))
      .map((row) => new ServiceHandle(this.#antenna, row));
  }

  /** Adds a job; unless told otherwise it is STARTED and its tasks can be taken. */
  job(options: JobOptions): JobHandle {
    return addJobTo(this.#antenna, this.#row, options);
  }

  /** Adds or changes a member. Default role: BasicMember. */
  member(user: { readonly id: number }, role: Role = 'BasicMember'): this {
    assertOptions('member', user, { id: ['number'] }, { required: ['id'], loose: true });
    assertKind('role', role, 'string');
    this.#row.members.set(user.id, role);
    return this;
  }

  /** Adds a station with images that belong to no job yet. @returns the station's id. */
  deployment(options: { id?: number; name: string; images?: readonly ImageOptions[] }): number {
    assertOptions(
      'deployment',
      options,
      { id: ['number'], name: ['string'], images: ['array'] },
      { required: ['name'] },
    );
    const { store } = this.#antenna;
    const { deployments } = store;
    const projectId = this.#row.id;
    const { id } = deployments.add({ id: deployments.takeId(options.id), name: options.name, projectId });
    insertCaptures(store, { projectId, deploymentId: id }, options.images ?? []);
    return id;
  }
}

export function addProject(antenna: Antenna, options: ProjectOptions): ProjectHandle {
  assertOptions('project', options, {
    ...{ id: ['number'], name: ['string'], draft: ['boolean'], asyncPipelineWorkers: ['boolean'] },
    ...{ owner: ['object'], members: ['array'] },
  });
  const { projects } = antenna.store;
  const id = projects.takeId(options.id);
  const members = new Map<number, Role>();
  if (options.owner) members.set(options.owner.id, 'ProjectManager');
  for (const { user, role } of options.members ?? []) members.set(user.id, role ?? 'BasicMember');
  const row = projects.add({
    id,
    name: options.name ?? `Project ${id}`,
    draft: options.draft ?? false,
    asyncPipelineWorkers: options.asyncPipelineWorkers ?? true,
    ownerId: options.owner?.id ?? null,
    members,
    ...times(antenna.store),
  });
  return new ProjectHandle(antenna, row);
}
