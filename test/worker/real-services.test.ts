import { AntennaConfigError, definePipeline, type PipelineConfig } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';

/** Pipelines as the `/info` of three services in use gives them: every field, nulls included. */
const STAGES = [
  {
    key: 'stage_1',
    name: 'Stage 1',
    params: [{ name: 'Size', key: 'size', category: 'default' }],
    description: null,
  },
];
const NOTHING = { description: null, version_name: null, uri: null };
const emptyMap = { data: [], labels: [], version: null, description: null, uri: null };
const mapOf = (labels: readonly string[]) => ({
  ...emptyMap,
  data: labels.map((label, index) => ({ index, gbif_key: 1_000 + index, label, source: 'training' })),
  labels: [...labels],
});

const minimal = (slug: string) => ({
  name: 'Constant pipeline',
  slug,
  version: 1,
  description: null,
  algorithms: [
    {
      ...NOTHING,
      name: 'Local Detector',
      key: 'constant-detector',
      task_type: 'detection',
      version: 1,
      category_map: null,
    },
    {
      ...NOTHING,
      ...{ name: 'Constant Classifier', key: 'constant-classifier', task_type: 'classification', version: 1 },
      category_map: mapOf(['Moth']),
    },
  ],
  stages: STAGES,
});

const zeroShot = (slug: string, classifier: boolean) => ({
  name: 'Zero shot',
  slug,
  version: 1,
  description: 'HF zero-shot',
  algorithms: [
    {
      ...NOTHING,
      ...{
        name: 'Zero Shot Object Detector',
        key: 'zero-shot-object-detector',
        task_type: 'detection',
        version: 1,
      },
      category_map: mapOf(['bug', 'moth']),
    },
    ...(classifier
      ? [
          {
            ...NOTHING,
            ...{ name: 'HF Classifier', key: 'hf-classifier', task_type: 'classification', version: 1 },
            category_map: mapOf(['tench', 'goldfish', 'shark']),
          },
        ]
      : []),
  ],
  stages: [],
});

const production = (slug: string, names: readonly ('filter' | 'classifier')[]) => ({
  name: slug,
  slug,
  version: 1,
  description: 'Species in place of orders',
  algorithms: [
    {
      ...NOTHING,
      ...{ name: 'Moth Detector', key: 'moth_object_detector_2023', task_type: 'localization', version: 1 },
      category_map: emptyMap,
    },
    ...names.map((name) => ({
      ...NOTHING,
      ...{ name: `${slug} ${name}`, key: `${slug}_${name}`, task_type: 'classification', version: 1 },
      category_map: mapOf(name === 'filter' ? ['nonmoth', 'moth'] : ['Actias luna', 'Arctia caja']),
    })),
  ],
  stages: [],
});

const SERVED: readonly PipelineConfig[] = [
  ...['constant', 'random-detection-random-species'].map(minimal),
  zeroShot('zero-shot-object-detector-pipeline', false),
  zeroShot('zero-shot-object-detector-with-constant-classifier-pipeline', true),
  ...['panama_moths_2023', 'kenya-uganda_moths_turing_2024', 'global_moths_2024'].map((slug) =>
    production(slug, ['filter', 'classifier']),
  ),
  production('moth_binary', ['classifier']),
  production('insect_orders_2025', ['classifier']),
];

const process = (): { detections: [] } => ({ detections: [] });

describe('the pipelines of services in use', () => {
  it.each(SERVED.map((config) => [config.slug, config] as const))('%s can be worked for', (_, config) => {
    expect(definePipeline({ ...config, process }).algorithms.size).toBe(config.algorithms.length);
  });

  it.each([
    ['empty lists', emptyMap],
    ['nothing in it', {}],
    ['an object for a list', { ...emptyMap, data: {} }],
  ])('may have a category map of %s where nothing is classified: it counts as none', (_, category_map) => {
    const [config] = SERVED;
    const [detector] = config?.algorithms ?? [];
    const algorithms = [{ ...detector, category_map }] as PipelineConfig['algorithms'];
    const defined = definePipeline({ name: 'Boxes', slug: 'boxes', version: 1, algorithms, process });
    expect(defined.detector.category_map).toBeNull();
    expect(defined.config.algorithms[0]?.category_map).toBeNull();
  });

  it('still need one with labels for every classifier (T45)', () => {
    const config = production('moth_binary', ['classifier']);
    const algorithms = config.algorithms.map((algorithm) => ({ ...algorithm, category_map: emptyMap }));
    expect(() => definePipeline({ ...config, algorithms, process })).toThrow(AntennaConfigError);
    expect(() => definePipeline({ ...config, algorithms, process })).toThrow(
      'algorithms.1.category_map.data',
    );
  });
});
