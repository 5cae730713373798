import { HEX } from '../random.js';
import type { Random } from '../random.js';
import { DATA_OMITTED } from '../validate/registration-schema.js';
import type { PostedAlgorithm, PostedCategoryMap, PostedPipeline } from '../validate/registration-schema.js';
import { insertAlgorithm, insertPipeline } from './new-rows.js';
import type { AlgorithmRow, CategoryMapRow, PipelineRow, ProjectRow, ServiceRow } from './rows.js';
import type { Store } from './store.js';
import type { UndoLog } from './table.js';

/** A database constraint broke: the real server answers 500 and stores nothing of the request. */
export class RegistrationConflict extends Error {}

export interface RegistrationContext {
  readonly store: Store;
  readonly random: Random;
  readonly dialect: 'api-key' | 'token';
  readonly project: ProjectRow;
  readonly service: ServiceRow;
  readonly undo: UndoLog;
}

const NEEDS_MAP = ['classification', 'tagging'];
const NAME_LIMIT = 255;

/**
 * Registers pipelines with every rule of contract §8.2.
 * @returns what the answer calls `pipelines_created`: slugs newly linked to the project and keys newly attached (T46).
 * @throws RegistrationConflict when the real server would crash; roll back with the undo log.
 */
export function registerPipelines(context: RegistrationContext, posted: readonly PostedPipeline[]): string[] {
  const created: string[] = [];
  for (const item of posted) {
    const pipeline = findOrCreatePipeline(context, item);
    if (linkToProject(context, pipeline)) created.push(pipeline.slug);
    for (const algorithm of item.algorithms) {
      const row = findOrCreateAlgorithm(context, algorithm);
      if (pipeline.algorithmIds.has(row.id)) continue;
      pipeline.algorithmIds.add(row.id);
      context.undo.add(() => pipeline.algorithmIds.delete(row.id));
      created.push(row.key);
    }
    linkToService(context, pipeline);
    set(context.undo, pipeline, 'updatedAt', context.store.wallNow());
  }
  return created;
}

function set<Row, Name extends keyof Row>(undo: UndoLog, row: Row, name: Name, value: Row[Name]): void {
  const before = row[name];
  undo.add(() => {
    row[name] = before;
  });
  row[name] = value;
}

/** The first pipeline with the same slug OR the same name and version; nothing of it is ever changed (T44). */
function findOrCreatePipeline(context: RegistrationContext, posted: PostedPipeline): PipelineRow {
  const { store, undo } = context;
  if (posted.name.length > NAME_LIMIT || posted.slug.length > NAME_LIMIT) {
    throw new RegistrationConflict('a name or slug has more than 255 characters');
  }
  const known = store.pipelines.find(
    (pipeline) =>
      pipeline.slug === posted.slug || (pipeline.name === posted.name && pipeline.version === posted.version),
  );
  if (known) return known;
  const id = store.pipelines.takeId();
  undo.add(() => {
    store.pipelines.delete(id);
  });
  const { name, version, description } = posted;
  const slug = posted.slug === '' ? inventSlug(context, posted) : posted.slug;
  return insertPipeline(store, { id, slug, name, version, description });
}

function slugify(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .trim()
    .replace(/[-\s]+/g, '-');
}

function inventSlug(context: RegistrationContext, posted: PostedPipeline): string {
  return `${slugify(posted.name)}-v${posted.version}-${context.random.text(8, HEX)}`;
}

/** Enables the pipeline for the project unless a link exists, also a disabled one, which is left alone. */
function linkToProject(context: RegistrationContext, pipeline: PipelineRow): boolean {
  const { store, project, undo } = context;
  if (pipeline.configs.some((config) => config.projectId === project.id)) return false;
  pipeline.configs.push(
    store.configs.add({ id: store.configs.takeId(), projectId: project.id, enabled: true }),
  );
  undo.add(() => {
    const removed = pipeline.configs.pop();
    if (removed) store.configs.delete(removed.id);
  });
  return true;
}

function linkToService(context: RegistrationContext, pipeline: PipelineRow): void {
  const { service, undo } = context;
  if (service.pipelineIds.has(pipeline.id)) return;
  service.pipelineIds.add(pipeline.id);
  undo.add(() => service.pipelineIds.delete(pipeline.id));
}

function findOrCreateAlgorithm(context: RegistrationContext, posted: PostedAlgorithm): AlgorithmRow {
  const { algorithms } = context.store;
  const key = posted.key === '' ? `${slugify(posted.name)}-${posted.version}` : posted.key;
  const known = algorithms.find((row) => row.key === key && row.version === posted.version);
  const row = known ?? createAlgorithm(context, posted, key);
  if (known) {
    set(context.undo, known, 'taskType', posted.task_type);
    set(context.undo, known, 'uri', posted.uri);
  }
  attachCategoryMap(context, row, posted.category_map);
  // Any map will do, also one without `data`, by which no result can ever be saved.
  if (NEEDS_MAP.includes(row.taskType ?? '') && !posted.category_map && !hasValidMap(row)) {
    throw new RegistrationConflict(
      `algorithm ${key} is a ${row.taskType ?? ''} algorithm without category map`,
    );
  }
  return row;
}

function createAlgorithm(context: RegistrationContext, posted: PostedAlgorithm, key: string): AlgorithmRow {
  const { store, undo } = context;
  const id = store.algorithms.takeId();
  if (store.algorithms.find((row) => row.key === key)) {
    throw new RegistrationConflict(`algorithm key ${key} exists with another version`);
  }
  if (store.algorithms.find((row) => row.name === posted.name && row.version === posted.version)) {
    throw new RegistrationConflict(`an algorithm named ${posted.name} with version ${posted.version} exists`);
  }
  undo.add(() => {
    store.algorithms.delete(id);
  });
  return insertAlgorithm(store, {
    id,
    key,
    name: posted.name,
    version: posted.version,
    versionName: posted.version_name,
    taskType: posted.task_type,
    uri: posted.uri,
    categoryMap: null,
  });
}

/** Valid means non-empty `data`; only then is a different map ignored. */
function hasValidMap(row: AlgorithmRow): boolean {
  return Array.isArray(row.categoryMap?.data) && row.categoryMap.data.length > 0;
}

/** Each algorithm gets a map of its own; one with empty `data` does not count, so another row follows every time. */
function attachCategoryMap(
  context: RegistrationContext,
  row: AlgorithmRow,
  posted: PostedCategoryMap | null,
): void {
  if (!posted || hasValidMap(row)) return;
  const { store, undo, dialect } = context;
  const id = store.categoryMaps.takeId();
  const data: CategoryMapRow['data'] = posted.data === DATA_OMITTED && dialect === 'token' ? {} : posted.data;
  undo.add(() => {
    store.categoryMaps.delete(id);
  });
  set(undo, row, 'categoryMap', store.categoryMaps.add({ id, labels: posted.labels, data }));
}
