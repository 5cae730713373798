import { describe, expect, it } from 'vitest';
import { isErrorResult, resultsResponseSchema } from '../../src/contract/results.js';
import { resultsRequestSchema } from '../../src/contract/worker-requests.js';
import { refusal, without } from './refusal.js';
import { classification, detection, failure, success } from './samples.js';

const SUBJECT = '$JS.ACK.job_11.job-11-consumer.1.1.1.1795229915953121494.11';
const post = (result: unknown) => ({ results: [{ reply_subject: SUBJECT, result }] });
const withDetection = (change: object) => post({ ...success, detections: [{ ...detection, ...change }] });
const withClassification = (change: object) =>
  withDetection({ classifications: [{ ...classification, ...change }] });

describe('a good result', () => {
  it.each([
    ['a full success', success],
    ['a success that found nothing', { ...success, detections: [] }],
    [
      'a "nothing found" marker',
      { ...success, detections: [{ ...detection, bbox: null, classifications: [] }] },
    ],
    ['a success that echoes its config', { ...success, config: { threshold: 0.5 } }],
    ['an error', failure],
  ])('goes through unchanged: %s', (_title, result) => {
    expect(resultsRequestSchema.parse(post(result))).toEqual(post(result));
  });

  it('may be none at all: an empty post is the heartbeat', () => {
    expect(resultsRequestSchema.parse({ results: [] })).toEqual({ results: [] });
  });

  it('is told from an error by its fields', () => {
    const { results } = resultsRequestSchema.parse({
      results: [success, failure].map((r) => post(r).results[0]),
    });
    expect(results.map(({ result }) => isErrorResult(result))).toEqual([false, true]);
  });
});

describe('results that would be lost in silence', () => {
  it('an error without `image_id` (T27)', () => {
    for (const image_id of [undefined, null, '']) {
      expect(refusal(resultsRequestSchema, post({ ...failure, image_id }))).toContain(
        'results[0].result.image_id',
      );
    }
    expect(refusal(resultsRequestSchema, post({ error: 'x' }))).toContain('results[0].result.image_id');
  });

  it('a success without a source image (T27)', () => {
    expect(refusal(resultsRequestSchema, post({ ...success, source_images: [] }))).toMatch(
      /exactly one image[^]*source_images/,
    );
  });

  it('a success with two source images: the second is delivered again (T34)', () => {
    const source_images = [...success.source_images, { id: '19', url: '' }];
    expect(refusal(resultsRequestSchema, post({ ...success, source_images }))).toContain('exactly one image');
  });

  it('a success that also has an `error`: malformed, it would count as a failure (T36)', () => {
    expect(refusal(resultsRequestSchema, post({ ...success, error: 'x' }))).toContain('"error"');
    expect(refusal(resultsRequestSchema, post({ ...without(success, 'total_time'), error: 'x' }))).toMatch(
      /"error"[^]*total_time/,
    );
  });

  it('a detection of another image: species end up on the wrong boxes (T38)', () => {
    const message = refusal(
      resultsRequestSchema,
      post({ ...success, detections: [detection, { ...detection, source_image_id: '19' }] }),
    );
    expect(message).toContain('results[0].result.detections[1].source_image_id');
    expect(message).toContain('(18)');
  });

  it('empty or absent scores: saving fails after the 200 (T39)', () => {
    expect(refusal(resultsRequestSchema, withClassification({ scores: [] }))).toMatch(
      /must not be empty[^]*scores/,
    );
    expect(refusal(resultsRequestSchema, withClassification({ scores: undefined }))).toContain('scores');
  });

  it('a class name over 255 characters: saving fails after the 200', () => {
    expect(refusal(resultsRequestSchema, withClassification({ classification: 'x'.repeat(256) }))).toContain(
      '255',
    );
    expect(
      resultsRequestSchema.safeParse(withClassification({ classification: 'x'.repeat(255) })).success,
    ).toBe(true);
  });

  it.each(['2026-01-01T12:00:00', '2026-01-01 12:00:00.123456'])(
    'a time without zone, which is stored hours off: %s (T40)',
    (timestamp) => {
      expect(refusal(resultsRequestSchema, withDetection({ timestamp }))).toMatch(
        /Z or an offset[^]*timestamp/,
      );
      expect(refusal(resultsRequestSchema, withClassification({ timestamp }))).toContain(
        'detections[0].classifications[0].timestamp',
      );
    },
  );
});

describe('results that would cost the whole batch a 400 (T33)', () => {
  it('are named by their place in the batch', () => {
    const batch = [post(success).results[0], post({ ...success, total_time: 'long' }).results[0]];
    expect(refusal(resultsRequestSchema, { results: batch })).toContain('results[1].result.total_time');
  });

  it('a missing, null or empty `reply_subject` (T35)', () => {
    for (const reply_subject of [undefined, null, '']) {
      expect(refusal(resultsRequestSchema, { results: [{ reply_subject, result: success }] })).toContain(
        'reply_subject',
      );
    }
    expect(refusal(resultsRequestSchema, { results: [{ result: success }] })).toContain('reply_subject');
  });

  it('a box as a list (T42), or with a missing or infinite side', () => {
    expect(refusal(resultsRequestSchema, withDetection({ bbox: [10, 10, 20, 20] }))).toMatch(
      /expected object[^]*bbox/,
    );
    expect(refusal(resultsRequestSchema, withDetection({ bbox: without(detection.bbox, 'y2') }))).toContain(
      'bbox.y2',
    );
    const infinite = { ...detection.bbox, x1: Number.NEGATIVE_INFINITY };
    expect(refusal(resultsRequestSchema, withDetection({ bbox: infinite }))).toContain('bbox.x1');
  });

  it('NaN among scores or logits', () => {
    expect(refusal(resultsRequestSchema, withClassification({ scores: [0.5, Number.NaN] }))).toContain(
      'scores',
    );
    expect(refusal(resultsRequestSchema, withClassification({ logits: [Number.NaN] }))).toContain('logits');
  });

  it.each([
    '2026-13-01T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:00:00+25:00',
  ])('a moment that does not exist: %s', (timestamp) => {
    expect(refusal(resultsRequestSchema, withDetection({ timestamp }))).toContain('timestamp');
  });

  it.each(['2026-01-01T00:00:00z', '2026-01-01', '20260101T000000Z', 'Thu, 01 Jan 2026 00:00:00 GMT', ''])(
    'a form of time that the server cannot read: "%s"',
    (timestamp) => {
      expect(refusal(resultsRequestSchema, withDetection({ timestamp }))).toContain('timestamp');
    },
  );

  it('neither a success nor an error', () => {
    expect(refusal(resultsRequestSchema, post({}))).toMatch(
      /pipeline[^]*total_time[^]*source_images[^]*detections/,
    );
    for (const result of [null, 'done', [], undefined]) {
      expect(refusal(resultsRequestSchema, post(result))).toContain('results[0].result');
    }
  });

  it('a bare list instead of `results`', () => {
    expect(refusal(resultsRequestSchema, post(success).results)).toContain('expected object');
  });
});

describe('times that the server reads as meant', () => {
  it.each([
    new Date(0).toISOString(),
    '2026-01-01T00:00Z',
    '2026-01-01 00:00:00+00',
    '2026-01-01T00:00:00.123456-0500',
    '2024-02-29T00:00:00+05:30',
  ])('%s', (timestamp) => {
    expect(resultsRequestSchema.safeParse(withDetection({ timestamp })).success).toBe(true);
  });
});

describe('ids in results', () => {
  it('are text, as in tasks (T41)', () => {
    expect(refusal(resultsRequestSchema, withDetection({ source_image_id: 18 }))).toContain(
      'source_image_id',
    );
    expect(refusal(resultsRequestSchema, post({ ...failure, image_id: 18 }))).toContain('image_id');
    expect(
      refusal(resultsRequestSchema, post({ ...success, source_images: [{ id: 18, url: '' }] })),
    ).toContain('source_images[0].id');
  });
});

describe('a misspelt field, which the server would ignore, is named', () => {
  it.each([
    ['detectons', post({ ...without(success, 'detections'), detectons: [] })],
    ['box', withDetection({ box: detection.bbox })],
    ['score', withClassification({ score: 0.7 })],
    ['x3', withDetection({ bbox: { ...detection.bbox, x3: 1 } })],
    ['replySubject', { results: [{ reply_subject: SUBJECT, result: success, replySubject: SUBJECT }] }],
    ['imageId', post({ ...failure, imageId: '18' })],
    ['result', { results: [], result: [] }],
    ['algorithms', post({ ...success, algorithms: {} })],
  ])('%s', (typo, body) => {
    expect(refusal(resultsRequestSchema, body)).toContain(`"${typo}"`);
  });
});

describe('the answer', () => {
  const answer = {
    status: 'accepted',
    job_id: 11,
    results_queued: 1,
    tasks: [{ reply_subject: SUBJECT, status: 'queued', task_id: 'd4a6e256' }],
  };

  it('keeps unknown fields and unknown statuses', () => {
    const newer = { ...answer, status: 'deferred', shard: 3, tasks: [{ ...answer.tasks[0], lane: 'slow' }] };
    expect(resultsResponseSchema.parse(newer)).toEqual(newer);
  });

  it.each(['status', 'job_id', 'results_queued'] as const)(
    'without `%s` is damage, never an acknowledgement',
    (key) => {
      expect(refusal(resultsResponseSchema, without(answer, key))).toContain(key);
    },
  );
});
