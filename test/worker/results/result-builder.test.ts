import { PermanentTaskError, taskResultSchema, type ProcessResult } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { buildSuccess } from '../../../src/worker/results/result-builder.js';
import { pipeline } from '../../support/pipelines.js';

const task = { image_id: '18', image_url: 'https://img.example.org/18.jpg' };
const timing = { timestamp: '2026-11-20T21:56:08.426Z', totalTimeMs: 1500 };
const bbox = { x1: 1, y1: 2, x2: 3.5, y2: 4 };

const build = (output: unknown) => buildSuccess(pipeline(), task, output as ProcessResult, timing);
const withScores = (scores: unknown, more: object = {}) => ({
  detections: [{ bbox, classifications: [{ scores, ...more }] }],
});

describe('buildSuccess', () => {
  it('fills in what the server needs: image id, references, slug, label, times with Z', () => {
    const result = build(withScores([0.1, 0.7, 0.2]));
    expect(result).toEqual({
      pipeline: 'test-moths',
      total_time: 1.5,
      source_images: [{ id: '18', url: 'https://img.example.org/18.jpg' }],
      detections: [
        {
          source_image_id: '18',
          bbox,
          algorithm: { name: 'Test Box', key: 'test-box' },
          timestamp: timing.timestamp,
          classifications: [
            {
              classification: 'Arctia caja',
              scores: [0.1, 0.7, 0.2],
              algorithm: { name: 'Test Species', key: 'test-species' },
              timestamp: timing.timestamp,
            },
          ],
        },
      ],
    });
    expect(taskResultSchema.safeParse({ reply_subject: 's', result }).success).toBe(true);
  });

  it.each([
    ['a Float32Array', Float32Array.of(0.1, 0.7, 0.2)],
    ['a Float64Array', Float64Array.of(0.1, 0.7, 0.2)],
    ['anything with a length and numbers', { length: 3, 0: 0.1, 1: 0.7, 2: 0.2 }],
  ])('takes scores and logits in %s, and finds the label at their highest', (_, scores) => {
    const [classification] =
      build(withScores(scores, { logits: scores })).detections[0]?.classifications ?? [];
    expect(classification).toMatchObject({
      classification: 'Arctia caja',
      scores: [0.1, 0.7, 0.2],
      logits: [0.1, 0.7, 0.2],
    });
  });

  it('takes an empty list for "looked, and found nothing"', () => {
    expect(build({ detections: [] }).detections).toEqual([]);
  });

  it.each([
    ['nothing returned', undefined, 'no detections array'],
    ['an array instead of an object', [], 'no detections array'],
    ['a box as an array (T42)', { detections: [{ bbox: [1, 2, 3, 4] }] }, 'detections.0.bbox'],
    ['a box with NaN', { detections: [{ bbox: { ...bbox, x1: Number.NaN } }] }, 'detections.0.bbox'],
    [
      'a misspelt field of the result',
      { detections: [], confg: {} },
      'confg is not known; the fields are detections, config',
    ],
    [
      'a misspelt field of a detection',
      { detections: [{ bbox, rotaton: 1 }] },
      'detections.0.rotaton is not known',
    ],
    [
      'a misspelt field of a classification',
      withScores([1], { logit: [1] }),
      'classifications.0.logit is not known',
    ],
    ['a configuration that is none', { detections: [], config: 'fast' }, 'config must be an object'],
    ['a rotation that is no number', { detections: [{ bbox, rotation: '12' }] }, 'detections.0.rotation'],
    ['features that are none', { detections: [{ bbox, features: [] }] }, 'detections.0.features'],
    ['features with NaN', withScores([1], { features: [Number.NaN] }), 'classifications.0.features'],
    ['an inverted box', { detections: [{ bbox: { x1: 5, y1: 1, x2: 2, y2: 3 } }] }, 'detections.0.bbox'],
    ['a missing box', { detections: [{}] }, 'detections.0.bbox'],
    [
      'an unknown algorithm',
      { detections: [{ bbox, algorithm: 'nope' }] },
      'which the pipeline does not have',
    ],
    [
      'a classifier as detector',
      { detections: [{ bbox, algorithm: 'test-species' }] },
      "must be the pipeline's detector",
    ],
    ['empty scores (T39)', withScores([]), 'classifications.0.scores'],
    ['no scores in a typed array', withScores(new Float32Array()), 'classifications.0.scores'],
    ['NaN in a typed array', withScores(Float32Array.of(Number.NaN)), 'classifications.0.scores'],
    ['scores as text', withScores('0.5'), 'classifications.0.scores'],
    ['a score that is no number', withScores([0.1, Number.NaN]), 'classifications.0.scores'],
    [
      'more scores than labels (T39)',
      withScores([0.1, 0.2, 0.3, 0.4]),
      'has 4 entries, but the category map',
    ],
    ['a logit that is no number', withScores([1], { logits: [Number.POSITIVE_INFINITY] }), 'logits'],
    [
      'a name over 255 characters',
      withScores([1], { classification: 'x'.repeat(256) }),
      '1 to 255 characters',
    ],
  ])('turns a handler’s mistake into that task’s error: %s', (_, output, message) => {
    expect(() => build(output)).toThrow(PermanentTaskError);
    expect(() => build(output)).toThrow(message);
  });

  it('asks which classifier is meant when there are several', () => {
    const classifier = { task_type: 'classification', category_map: { data: [{ label: 'a' }] } };
    const two = pipeline({
      algorithms: [
        { key: 'box', name: 'Box', task_type: 'detection' },
        { key: 'a', name: 'A', ...classifier },
        { key: 'b', name: 'B', ...classifier },
      ],
    });
    const output = { detections: [{ bbox, classifications: [{ scores: [1] }] }] };
    expect(() => buildSuccess(two, task, output, timing)).toThrow('2 classifiers to choose from');
  });
});
