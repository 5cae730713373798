import type { AlgorithmConfig, Pipeline, PipelineConfig } from 'antenna-sdk';

export const detector: AlgorithmConfig = { key: 'box', name: 'Box', task_type: 'detection' };
export const classifier: AlgorithmConfig = {
  key: 'species',
  name: 'Species',
  task_type: 'classification',
  category_map: {
    data: [
      { index: 0, label: 'moth' },
      { index: 1, label: 'bee' },
    ],
  },
};

/** A pipeline that can work; tests break one thing about it. */
export function config(changes: Partial<PipelineConfig> = {}): PipelineConfig {
  return { name: 'Moths', slug: 'moths', version: 1, algorithms: [detector, classifier], ...changes };
}

/** What a server stores for a registration that it took as it was. */
export function stored(changes: Partial<Pipeline> = {}): Pipeline {
  return {
    id: 1,
    name: 'Moths',
    slug: 'moths',
    description: '',
    algorithms: [
      { id: 1, key: 'box', name: 'Box', task_type: 'detection' },
      { id: 2, key: 'species', name: 'Species', task_type: 'classification' },
    ],
    project_pipeline_configs: [{ enabled: true, config: {} }],
    ...changes,
  };
}
