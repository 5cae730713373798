import type { AlgorithmConfig, PipelineConfig } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { isDetector, registrationIssues } from '../../src/registration/precheck.js';
import { classifier, config, detector } from './samples.js';

const withAlgorithms = (...algorithms: AlgorithmConfig[]): PipelineConfig => config({ algorithms });
const second = (changes: Partial<PipelineConfig>): PipelineConfig =>
  config({ name: 'Bees', slug: 'bees', ...changes });
const paths = (...pipelines: PipelineConfig[]): string[] =>
  registrationIssues(pipelines).map(({ path }) => path);

describe('registrationIssues', () => {
  it('finds nothing in pipelines that can work, also with shared algorithms and other types', () => {
    const other: AlgorithmConfig = { key: 'size', name: 'Size', task_type: 'size_estimation' };
    const unknown: AlgorithmConfig = { key: 'new', name: 'New', task_type: 'brand_new' };
    expect(paths(config(), second({ algorithms: [detector, classifier, other, unknown] }))).toEqual([]);
    expect(paths()).toEqual([]);
  });

  it.each(['detection', 'localization', 'segmentation'])('counts %s as a detector (T48)', (task_type) => {
    expect(isDetector({ task_type })).toBe(true);
    expect(paths(withAlgorithms({ ...detector, task_type }))).toEqual([]);
    expect(
      paths(withAlgorithms({ ...detector, task_type }, { ...detector, key: 'b2', name: 'Box 2' })),
    ).toEqual(['pipelines.0.algorithms']);
  });

  it('asks for a detector where there is none: no result could ever be saved (T48)', () => {
    for (const pipeline of [
      withAlgorithms(classifier),
      withAlgorithms(),
      withAlgorithms({ ...detector, task_type: null }),
    ]) {
      expect(registrationIssues([pipeline])).toMatchObject([
        { path: 'pipelines.0.algorithms', message: expect.stringContaining('needs exactly one') as string },
      ]);
    }
  });

  it.each(['classification', 'tagging'])('asks for the labels of a %s algorithm (T45)', (task_type) => {
    for (const category_map of [undefined, null]) {
      expect(
        paths(
          withAlgorithms(detector, {
            key: 'c',
            name: 'C',
            task_type,
            ...(category_map === null ? { category_map } : {}),
          }),
        ),
      ).toEqual(['pipelines.0.algorithms.1.category_map']);
    }
  });

  it('sees labels that do not match their data, and an index out of place', () => {
    const labels = { ...classifier, category_map: { data: [{ label: 'a' }], labels: ['a', 'b'] } };
    const index = {
      ...classifier,
      category_map: {
        data: [
          { index: 1, label: 'a' },
          { index: 0, label: 'b' },
        ],
      },
    };
    expect(paths(withAlgorithms(detector, labels))).toEqual(['pipelines.0.algorithms.1.category_map.labels']);
    expect(paths(withAlgorithms(detector, index))).toEqual([
      'pipelines.0.algorithms.1.category_map.data.0.index',
      'pipelines.0.algorithms.1.category_map.data.1.index',
    ]);
  });

  it('sees what the server answers with a 500 without a reason: key, version and name conflicts (T45)', () => {
    expect(paths(config(), second({ algorithms: [{ ...detector, version: 2 }, classifier] }))).toEqual([
      'pipelines.1.algorithms.0.version',
    ]);
    expect(paths(config(), second({ algorithms: [{ ...detector, key: 'other' }, classifier] }))).toEqual([
      'pipelines.1.algorithms.0.name',
    ]);
    expect(paths(withAlgorithms(detector, classifier, { ...classifier }))).toEqual([
      'pipelines.0.algorithms.2.key',
    ]);
  });

  it('knows that a version left out is version 1', () => {
    expect(paths(config(), second({ algorithms: [{ ...detector, version: 1 }, classifier] }))).toEqual([]);
  });

  it('sees pipelines of which the server would ignore the second', () => {
    expect(paths(config(), config({ version: 2 }))).toEqual(['pipelines.1.slug']);
    expect(paths(config(), config({ slug: 'bees' }))).toEqual(['pipelines.1.name']);
    expect(paths(config(), config({ slug: 'bees', version: 2 }))).toEqual([]);
  });
});
