import type { RunContext } from './context.js';

/** Pipelines whose executor says that it cannot work: no tasks are taken for them, since a task cannot be given back. */
export class ClosedPipelines {
  readonly #context: Pick<RunContext, 'options' | 'bus' | 'client'>;
  readonly #closedBecause: (slug: string) => string | undefined;
  readonly #closed = new Map<string, string>();

  /** @param closedBecause - why no task of a pipeline should be taken now; undefined if it may. */
  constructor(
    context: Pick<RunContext, 'options' | 'bus' | 'client'>,
    closedBecause: (slug: string) => string | undefined,
  ) {
    this.#context = context;
    this.#closedBecause = closedBecause;
  }

  get any(): boolean {
    return this.#closed.size > 0;
  }

  has(slug: string): boolean {
    return this.#closed.has(slug);
  }

  /** Tells of every pipeline that stopped or may go on, once. */
  look(): void {
    const { options, bus, client } = this.#context;
    for (const slug of options.pipelines.keys()) {
      const reason = this.#closedBecause(slug);
      if (reason === this.#closed.get(slug)) continue;
      if (reason === undefined) {
        this.#closed.delete(slug);
        client.logger.info({ pipeline: slug }, 'a pipeline takes tasks again');
        bus.emit('pipeline_opened', { pipeline: slug });
        continue;
      }
      this.#closed.set(slug, reason);
      client.logger.error({ pipeline: slug, reason }, 'a pipeline takes no tasks');
      bus.emit('pipeline_closed', { pipeline: slug, reason });
    }
  }
}
