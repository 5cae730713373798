import { AntennaConfigError, definePipeline, type PipelineDefinition } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { pipelineDefinition } from '../../support/pipelines.js';

const detector = { key: 'box', name: 'Box', task_type: 'detection' } as const;
const map = { data: [{ label: 'Actias luna' }] };

function issuesOf(changes: Partial<PipelineDefinition>): string[] {
  try {
    definePipeline(pipelineDefinition(changes));
  } catch (error) {
    if (error instanceof AntennaConfigError)
      return error.issues.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

describe('definePipeline', () => {
  it('accepts a detector and a classifier', () => {
    expect(issuesOf({})).toEqual([]);
    expect(definePipeline(pipelineDefinition()).detector.key).toBe('test-box');
  });

  it('refuses a pipeline without a detector, which could never deliver a result (T48)', () => {
    expect(
      issuesOf({ algorithms: [{ key: 'c', name: 'C', task_type: 'classification', category_map: map }] }),
    ).toEqual([expect.stringContaining('algorithms: needs exactly one algorithm with task_type detection')]);
  });

  it('refuses two detectors and names them (T48)', () => {
    const [issue] = issuesOf({
      algorithms: [detector, { key: 'box2', name: 'Box 2', task_type: 'localization' }],
    });
    expect(issue).toContain('has 2 detectors (box, box2)');
  });

  it('refuses a classifier without a category map, and a map whose data is empty (T45)', () => {
    const classifier = { key: 'c', name: 'C', task_type: 'classification' } as const;
    expect(issuesOf({ algorithms: [detector, classifier] })[0]).toContain(
      'algorithms.1.category_map: is required',
    );
    expect(issuesOf({ algorithms: [detector, { ...classifier, category_map: { data: [] } }] })[0]).toContain(
      'algorithms.1.category_map.data',
    );
  });

  it('refuses a schema that is none, and lengths of features that nobody has', () => {
    const wrong = {
      configSchema: {},
      featureLengths: { nobody: 2_048, 'test-box': 0 },
    } as unknown as Partial<PipelineDefinition>;
    expect(issuesOf(wrong)).toEqual([
      expect.stringContaining('configSchema: must be a zod schema'),
      expect.stringContaining('featureLengths.nobody: is no algorithm of this pipeline (it has test-box'),
      expect.stringContaining('featureLengths.test-box: must be a positive integer'),
    ]);
  });

  it('refuses the same key twice', () => {
    expect(
      issuesOf({ algorithms: [detector, { ...detector, name: 'Other', task_type: 'other' }] })[0],
    ).toContain('"box" is used twice');
  });

  it('names every wrong field at once, a misspelt one included', () => {
    const wrong = { slug: '', version: 1.5, sulg: 'x' } as unknown as Partial<PipelineDefinition>;
    const issues = issuesOf(wrong).join('\n');
    expect(issues).toContain('slug');
    expect(issues).toContain('version');
    expect(issues).toContain('sulg');
  });

  it('asks for a process function', () => {
    const wrong = { process: 'detect' } as unknown as Partial<PipelineDefinition>;
    expect(issuesOf(wrong)).toEqual([
      'process: must be a function (image, context) => { detections }, or give processBatch or executor instead',
    ]);
  });
});
