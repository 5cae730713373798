import { anyObject, integer, list, model, nullable, optional, required, text } from './pydantic.js';
import type { Reader } from './pydantic.js';

export interface PostedCategoryMap {
  readonly data: Record<string, unknown>[];
  readonly labels: string[];
  readonly version: string | null;
  readonly description: string | null;
  readonly uri: string | null;
}

export interface PostedAlgorithm {
  readonly name: string;
  readonly key: string;
  readonly description: string | null;
  readonly task_type: string | null;
  readonly version: number;
  readonly version_name: string | null;
  readonly uri: string | null;
  readonly category_map: PostedCategoryMap | null;
}

export interface PostedPipeline {
  readonly name: string;
  readonly slug: string;
  readonly version: number;
  readonly description: string | null;
  readonly algorithms: PostedAlgorithm[];
  readonly stages: unknown[];
}

const none = (): null => null;
const nothing = nullable(text);

const categoryMap = (dataWhenAbsent: () => Record<string, unknown>[]): Reader<PostedCategoryMap> =>
  model<PostedCategoryMap>({
    data: optional(list(anyObject), dataWhenAbsent),
    labels: optional(list(text), () => []),
    version: optional(nothing, none),
    description: optional(nothing, none),
    uri: optional(nothing, none),
  });

const stageParam = model<{ name: string; key: string; category: string }>({
  name: required(text),
  key: required(text),
  category: optional(text, () => 'default'),
});

const stage = model<{ key: string; name: string; params: unknown[]; description: string | null }>({
  key: required(text),
  name: required(text),
  params: optional(list(stageParam), () => []),
  description: optional(nothing, none),
});

/** Stands for the empty object that a `token` server stores when a map comes without `data` (contract §8.1). */
export const DATA_OMITTED: Record<string, unknown>[] = [];

/** The `pipelines` field of a registration; fields come out in the order in which the answer echoes them. */
export const postedPipelines: Reader<PostedPipeline[]> = list(
  model<PostedPipeline>({
    name: required(text),
    slug: required(text),
    version: required(integer),
    description: optional(nothing, none),
    algorithms: optional(
      list(
        model<PostedAlgorithm>({
          name: required(text),
          key: required(text),
          description: optional(nothing, none),
          task_type: optional(nothing, none),
          version: optional(integer, () => 1),
          version_name: optional(nothing, none),
          uri: optional(nothing, none),
          category_map: optional(nullable(categoryMap(() => DATA_OMITTED)), none),
        }),
      ),
      () => [],
    ),
    stages: optional(list(stage), () => []),
  }),
);
