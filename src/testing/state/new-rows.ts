import type { AlgorithmRow, PipelineRow, ServiceRow } from './rows.js';
import type { Store } from './store.js';

/** Rows come from builders, requests and saved results alike: some columns are given, and the rest start the same. */
type New<Row, Given extends keyof Row> = Pick<Row, Given> & { readonly id?: number | undefined } & {
  readonly [Name in keyof Row]?: Row[Name] | null | undefined;
};

/** Adds a service that nobody has heard of yet. */
export function insertService(store: Store, values: New<ServiceRow, 'name' | 'projectIds'>): ServiceRow {
  return store.services.add({
    id: store.services.takeId(values.id),
    name: values.name,
    description: values.description ?? '',
    endpointUrl: values.endpointUrl ?? null,
    projectIds: values.projectIds,
    pipelineIds: new Set(),
    ...times(store),
    lastSeen: null,
    lastSeenLive: null,
    clientInfo: null,
  });
}

/** Adds a pipeline without algorithms, enabled nowhere. */
export function insertPipeline(store: Store, values: New<PipelineRow, 'slug'>): PipelineRow {
  return store.pipelines.add({
    id: store.pipelines.takeId(values.id),
    slug: values.slug,
    name: values.name ?? values.slug,
    version: values.version ?? 1,
    versionName: '',
    description: values.description ?? '',
    algorithmIds: new Set(),
    configs: [],
    ...times(store),
  });
}

export function insertAlgorithm(
  store: Store,
  values: New<AlgorithmRow, 'key' | 'name' | 'version' | 'taskType' | 'uri' | 'categoryMap'>,
): AlgorithmRow {
  return store.algorithms.add({
    ...values,
    id: store.algorithms.takeId(values.id),
    versionName: values.versionName ?? String(values.version),
    // Echoed in the answer to a registration and never stored (contract §8.2).
    description: '',
    ...times(store),
  });
}

/** Adds captures at a station: by URL, or as many as the number says, with URLs that do not matter. @returns their ids. */
export function insertCaptures(
  store: Store,
  station: { readonly projectId: number; readonly deploymentId: number },
  images: readonly (string | { readonly id?: number; readonly url: string | null })[] | number,
): number[] {
  const { captures } = store;
  const list = typeof images === 'number' ? Array.from({ length: images }, () => undefined) : images;
  return list.map((image) => {
    const options = typeof image === 'string' ? { url: image } : image;
    const id = captures.takeId(options?.id);
    const url = options ? options.url : `https://images.example/${station.projectId}/${id}.jpg`;
    captures.add({ id, url, ...station, detections: [], processedBy: null });
    return id;
  });
}

/** The times of a row that is made now. */
export function times(store: Store): { readonly createdAt: number; updatedAt: number } {
  const now = store.wallNow();
  return { createdAt: now, updatedAt: now };
}
