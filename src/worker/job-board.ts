import type { AntennaClient } from '../client.js';
import type { Pipeline } from './pipeline.js';

/** How long a job that answered 403 or 404 is left alone: the list is not scoped to the credential (trap T15). */
export const MUTE_MS = 600_000;

/** A job that may have tasks for us. */
export interface OpenJob {
  readonly id: number;
  readonly pipeline: Pipeline;
}

/** Which jobs there are to work on, and which to leave alone. */
export class JobBoard {
  readonly #client: AntennaClient;
  readonly #pipelines: ReadonlyMap<string, Pipeline>;
  readonly #projects: readonly number[];
  readonly #random: () => number;
  readonly #mutedUntil = new Map<number, number>();

  constructor(options: {
    client: AntennaClient;
    pipelines: ReadonlyMap<string, Pipeline>;
    projects: readonly number[];
    random?: () => number;
  }) {
    this.#client = options.client;
    this.#pipelines = options.pipelines;
    this.#projects = options.projects;
    this.#random = options.random ?? Math.random;
  }

  /** The open jobs of our pipelines and projects, in an order of our own: pollers that all begin with the newest job collide. */
  async list(signal: AbortSignal): Promise<OpenJob[]> {
    const pipelines = [...this.#pipelines.keys()];
    const scopes = this.#projects.length > 0 ? this.#projects : [undefined];
    const found = new Map<number, OpenJob>();
    for (const project of scopes) {
      for (const job of await this.#client.jobs.open({ pipelines, project }, { signal })) {
        const pipeline = this.#pipelines.get(job.pipeline_slug ?? '');
        if (pipeline) found.set(job.id, { id: job.id, pipeline });
      }
    }
    const now = this.#client.clock.now();
    return shuffle([...found.values()], this.#random).filter(
      ({ id }) => (this.#mutedUntil.get(id) ?? 0) <= now,
    );
  }

  /** Leaves a job alone for a while. */
  mute(jobId: number): void {
    this.#mutedUntil.set(jobId, this.#client.clock.now() + MUTE_MS);
  }
}

function shuffle<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
