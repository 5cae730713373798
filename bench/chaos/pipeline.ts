import type { PipelineDefinition } from 'antenna-sdk';

/** What the workers register and the runner's job asks for. */
export const PIPELINE: Pick<PipelineDefinition, 'name' | 'slug' | 'version' | 'algorithms'> = {
  name: 'Chaos moths',
  slug: 'chaos-moths',
  version: 1,
  algorithms: [{ key: 'chaos-box', name: 'Chaos box', task_type: 'detection' }],
};
