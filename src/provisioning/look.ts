import type { AntennaClient } from '../client/client.js';
import { leftOutOf } from '../contract/answer.js';
import type { ProcessingService } from '../contract/processing-services.js';
import { NotFoundError, PermissionDeniedError } from '../errors/api.js';
import type { RequestOptions } from '../http/operation.js';
import type { Findings, ServedProject } from './credential-report.js';

/** Most projects that are looked through for the key's service: a request each. */
const MAX_PROJECTS = 100;
const PAGE = 100;

/** Looks through the projects with the client's credential, reading only. */
export class Look {
  readonly #client: AntennaClient;
  readonly #asked: readonly number[] | undefined;
  readonly #request: RequestOptions;
  readonly #names = new Map<number, string>();

  constructor(client: AntennaClient, asked: readonly number[] | undefined, request: RequestOptions) {
    this.#client = client;
    this.#asked = asked;
    this.#request = request;
  }

  /** The service that shows the prefix, and its projects. Behind a gateway the key is not known here, nor its prefix. */
  async forKey(prefix: string | undefined): Promise<Partial<Findings>> {
    if (prefix === undefined) return { complete: false };
    const { ids, complete } = await this.#projectIds();
    for (const id of ids) {
      const service = await this.#serviceWith(prefix, id);
      if (service === undefined) continue;
      const projects: ServedProject[] = [];
      for (const project of service.projects ?? [id]) projects.push(await this.#served(project));
      return { service: { id: service.id, name: service.name }, projects, complete: true };
    }
    return { complete };
  }

  /** Superusers may add to every list, and nobody else to this one: the page says so. */
  async forUser(): Promise<Partial<Findings>> {
    const first = await this.#client.projects.list({ limit: 1 }, this.#request);
    const permissions = first['user_permissions'];
    const superuser = Array.isArray(permissions) && permissions.includes('create');
    if (!superuser && this.#asked === undefined) return { superuser };
    const { ids, complete } = await this.#projectIds();
    const projects: ServedProject[] = [];
    for (const id of ids) {
      const project = await this.#served(id);
      const why = project.serves ? 'this user is no superuser' : project.why;
      projects.push(superuser ? project : { ...project, serves: false, why });
    }
    return { superuser, projects, complete };
  }

  async #projectIds(): Promise<{ ids: readonly number[]; complete: boolean }> {
    if (this.#asked) return { ids: this.#asked, complete: true };
    const list = this.#client.projects.list({ limit: PAGE, ordering: 'created_at' }, this.#request);
    const found = await list.toArray(MAX_PROJECTS + 1);
    const seen = found.slice(0, MAX_PROJECTS);
    for (const { id, name } of seen) this.#names.set(id, name);
    return {
      ids: seen.map(({ id }) => id),
      complete: found.length <= MAX_PROJECTS && leftOutOf(found).length === 0,
    };
  }

  async #serviceWith(prefix: string, project: number): Promise<ProcessingService | undefined> {
    try {
      const list = this.#client.processingServices.list(
        project,
        { limit: PAGE, ordering: 'id' },
        this.#request,
      );
      for await (const service of list) if (service.api_key_prefix === prefix) return service;
    } catch (error) {
      if (!isHidden(error)) throw error;
    }
    return undefined;
  }

  async #served(id: number): Promise<ServedProject> {
    let name = this.#names.get(id);
    try {
      name ??= (await this.#client.projects.get(id, this.#request)).name;
      return { id, name, serves: true, why: undefined };
    } catch (error) {
      if (!isHidden(error)) throw error;
      const why = 'missing, or a draft that this credential does not see: it gets none of its jobs';
      return { id, name: undefined, serves: false, why };
    }
  }
}

function isHidden(error: unknown): boolean {
  return error instanceof NotFoundError || error instanceof PermissionDeniedError;
}
