import { assertOptions } from '../check.js';
import type { Antenna } from '../antenna.js';
import { insertAlgorithm, insertPipeline } from '../state/new-rows.js';
import type { AlgorithmRow, CategoryMapRow, PipelineRow } from '../state/rows.js';

/**
 * An algorithm, in the wire's own words, so that a worker's pipeline description can be used as it is: an `AlgorithmConfig`
 * fits.
 */
export interface AlgorithmOptions {
  readonly id?: number | undefined;
  readonly key: string;
  /** Default: the key. */
  readonly name?: string | undefined;
  /** Default 1. */
  readonly version?: number | undefined;
  /** `detection`, `classification`, … (contract §8.1). */
  readonly task_type?: string | null | undefined;
  /** Where the model comes from. Default null. */
  readonly uri?: string | null | undefined;
  /** Short for a category map with these labels. */
  readonly labels?: readonly string[] | undefined;
  readonly category_map?:
    | {
        readonly id?: number | undefined;
        /** Default: the labels in `data`. */
        readonly labels?: readonly string[] | undefined;
        /** Left out with `labels` given: a map that the server takes and that no result can be saved by (contract §7.5). */
        readonly data?: readonly Readonly<Record<string, unknown>>[] | undefined;
      }
    | null
    | undefined;
}

/** A pipeline; a `PipelineConfig` fits. */
export interface PipelineOptions {
  readonly id?: number | undefined;
  readonly slug: string;
  /** Default: the slug. */
  readonly name?: string | undefined;
  /** Default 1. */
  readonly version?: number | undefined;
  readonly description?: string | null | undefined;
  /**
   * Default: a detector `<slug>-detector` and a classifier `<slug>-classifier` that knows `moth` and `not-moth`. An algorithm
   * whose key exists already is shared.
   */
  readonly algorithms?: readonly AlgorithmOptions[] | undefined;
  /** Services that serve it. Default: all services of the project so far. */
  readonly services?: readonly { readonly id: number }[] | undefined;
  /** Default true. */
  readonly enabled?: boolean | undefined;
  /** Id of the link between project and pipeline. */
  readonly configId?: number | undefined;
}

/** A pipeline. */
export class PipelineHandle {
  readonly #antenna: Antenna;
  readonly #row: PipelineRow;

  constructor(antenna: Antenna, row: PipelineRow) {
    this.#antenna = antenna;
    this.#row = row;
  }

  get id(): number {
    return this.#row.id;
  }

  get slug(): string {
    return this.#row.slug;
  }

  get name(): string {
    return this.#row.name;
  }

  get version(): number {
    return this.#row.version;
  }

  /** Keys of its algorithms, in order of attachment. */
  get algorithms(): readonly string[] {
    return this.#antenna.store.algorithmsOf(this.#row).map((algorithm) => algorithm.key);
  }

  /** Links it to a further project. */
  enableIn(project: { readonly id: number }, options: { enabled?: boolean; configId?: number } = {}): this {
    assertOptions('enableIn', project, { id: ['number'] }, { required: ['id'], loose: true });
    assertOptions('enableIn', options, { enabled: ['boolean'], configId: ['number'] });
    link(this.#antenna, this.#row, project.id, options.enabled ?? true, options.configId);
    return this;
  }
}

export function addPipeline(antenna: Antenna, projectId: number, options: PipelineOptions): PipelineHandle {
  // A worker's whole definition fits, handler and all.
  assertOptions(
    'pipeline',
    options,
    {
      ...{ id: ['number'], slug: ['string'], name: ['string'], version: ['number'], enabled: ['boolean'] },
      ...{
        description: ['string', 'null'],
        algorithms: ['array'],
        services: ['array'],
        configId: ['number'],
      },
    },
    { required: ['slug'], loose: true },
  );
  const { store } = antenna;
  const row = insertPipeline(store, options);
  for (const algorithm of options.algorithms ?? defaultAlgorithms(options.slug)) {
    row.algorithmIds.add(findOrAddAlgorithm(antenna, algorithm).id);
  }
  const services = options.services ?? store.services.filter((service) => service.projectIds.has(projectId));
  for (const { id } of services) store.services.get(id)?.pipelineIds.add(row.id);
  link(antenna, row, projectId, options.enabled ?? true, options.configId);
  return new PipelineHandle(antenna, row);
}

function defaultAlgorithms(slug: string): AlgorithmOptions[] {
  return [
    { key: `${slug}-detector`, task_type: 'detection' },
    { key: `${slug}-classifier`, task_type: 'classification', labels: ['moth', 'not-moth'] },
  ];
}

function link(
  antenna: Antenna,
  row: PipelineRow,
  projectId: number,
  enabled: boolean,
  configId?: number,
): void {
  const { configs } = antenna.store;
  row.configs.push(configs.add({ id: configs.takeId(configId), projectId, enabled }));
}

function findOrAddAlgorithm(antenna: Antenna, options: AlgorithmOptions): AlgorithmRow {
  const { algorithms } = antenna.store;
  const known = algorithms.find((row) => row.key === options.key);
  if (known) return known;
  return insertAlgorithm(antenna.store, {
    id: options.id,
    key: options.key,
    name: options.name ?? options.key,
    version: options.version ?? 1,
    taskType: options.task_type ?? null,
    uri: options.uri ?? null,
    categoryMap: addCategoryMap(antenna, options),
  });
}

function addCategoryMap(antenna: Antenna, options: AlgorithmOptions): CategoryMapRow | null {
  const { categoryMaps } = antenna.store;
  const data =
    options.category_map?.data ?? (options.category_map ? [] : options.labels && dataOf(options.labels));
  if (!data) return null;
  return categoryMaps.add({
    id: categoryMaps.takeId(options.category_map?.id),
    labels: [...(options.category_map?.labels ?? options.labels ?? data.map((entry) => String(entry.label)))],
    data: data.map((entry) => ({ ...entry })),
  });
}

function dataOf(labels: readonly string[]): Record<string, unknown>[] {
  return labels.map((label, index) => ({ index, label, taxon_rank: 'SPECIES' }));
}
