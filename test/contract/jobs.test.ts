import { describe, expect, it } from 'vitest';
import {
  createJobRequestSchema,
  isFinal,
  jobPageSchema,
  jobProgress,
  jobSchema,
  jobSummaryPageSchema,
  stageParam,
} from '../../src/contract/index.js';
import { refusal, without } from './refusal.js';
import { job, page, stage } from './samples.js';

const withParams = (params: object[]) =>
  jobSchema.parse({ ...job, progress: { ...job.progress, stages: [{ ...stage, params }] } });

describe('a job', () => {
  it('keeps unknown fields, an unknown status and an unknown dispatch mode', () => {
    const newer = { ...job, status: 'HIBERNATING', dispatch_mode: 'carrier_pigeon', shards: 3 };
    expect(jobSchema.parse(newer)).toMatchObject(newer);
  });

  it('may have null in every nested object', () => {
    const nested = {
      project: null,
      deployment: null,
      pipeline: null,
      progress: null,
      job_type: null,
      duration: null,
    };
    expect(jobSchema.parse({ ...job, ...nested })).toMatchObject(nested);
  });

  it.each(['id', 'status'] as const)('without `%s` is damage', (key) => {
    expect(refusal(jobSchema, without(job, key))).toContain(key);
  });

  it('is final in SUCCESS, FAILURE and REVOKED, and in no status that we do not know', () => {
    const final = [
      'CREATED',
      'PENDING',
      'STARTED',
      'RETRY',
      'CANCELING',
      'UNKNOWN',
      'HIBERNATING',
      'SUCCESS',
      'FAILURE',
      'REVOKED',
    ];
    expect(final.filter((status) => isFinal({ status }))).toEqual(['SUCCESS', 'FAILURE', 'REVOKED']);
  });
});

describe('a stage parameter', () => {
  it('is a number, also 0', () => {
    const parsed = withParams([
      { key: 'failed', value: 0 },
      { key: 'processed', value: 3 },
    ]);
    expect(stageParam(parsed, 'process', 'failed')).toBe(0);
    expect(stageParam(parsed, 'process', 'processed')).toBe(3);
  });

  it('is undefined while the server still sends an empty text for it (T43)', () => {
    expect(stageParam(withParams([{ key: 'failed', value: '' }]), 'process', 'failed')).toBeUndefined();
  });

  it('is undefined where the job has no such parameter, stage or progress', () => {
    expect(stageParam(withParams([]), 'process', 'failed')).toBeUndefined();
    expect(stageParam(withParams([]), 'results', 'failed')).toBeUndefined();
    expect(stageParam(jobSchema.parse({ ...job, progress: null }), 'process', 'failed')).toBeUndefined();
  });
});

describe('the progress of a job', () => {
  const stages = (collect: object, process: object) =>
    jobProgress(
      jobSchema.parse({
        ...job,
        progress: {
          ...job.progress,
          stages: [
            {
              ...stage,
              key: 'collect',
              params: Object.entries(collect).map(([key, value]) => ({ key, value: value as unknown })),
            },
            {
              ...stage,
              key: 'process',
              params: Object.entries(process).map(([key, value]) => ({ key, value: value as unknown })),
            },
          ],
        },
      }),
    );

  it('has no total while the server still collects', () => {
    expect(stages({ total_images: '' }, { processed: '', remaining: '', failed: '' })).toEqual({
      done: 0,
      failed: 0,
      total: undefined,
    });
    expect(jobProgress(jobSchema.parse({ ...job, progress: null }))).toEqual({
      done: 0,
      failed: 0,
      total: undefined,
    });
  });

  it('counts to the limit, not to all images, before the first result and after it', () => {
    const collected = { total_images: 12, limit: 4 };
    expect(stages(collected, { processed: 0, remaining: 0, failed: 0 }).total).toBe(4);
    expect(stages(collected, { processed: 3, remaining: 1, failed: 1 })).toEqual({
      done: 3,
      failed: 1,
      total: 4,
    });
  });
});

describe('a list of jobs', () => {
  it('without `results` or `count` is damage, never "no jobs"', () => {
    for (const schema of [jobPageSchema, jobSummaryPageSchema]) {
      expect(refusal(schema, without(page, 'results'))).toContain('results');
      expect(refusal(schema, without(page, 'count'))).toContain('count');
      expect(schema.parse(page).results).toEqual([]);
    }
  });

  it('has short items whose pipeline may be null', () => {
    const results = [{ id: 6, pipeline_slug: null, user_permissions: [] }];
    expect(jobSummaryPageSchema.parse({ ...page, count: 1, results }).results).toEqual(results);
  });
});

describe('creating a job', () => {
  const body = { name: 'night 12', project_id: 3 };

  it('sends the delay that the server requires', () => {
    expect(createJobRequestSchema.parse(body)).toEqual({ ...body, delay: 0 });
    expect(createJobRequestSchema.parse({ ...body, delay: 60 }).delay).toBe(60);
  });

  it('refuses a job type that is a 500 at the server', () => {
    expect(refusal(createJobRequestSchema, { ...body, job_type_key: 'mll' })).toContain('job_type_key');
  });

  it('names what is missing, misspelt or out of range', () => {
    expect(refusal(createJobRequestSchema, { name: 'x' })).toContain('project_id');
    expect(refusal(createJobRequestSchema, { ...body, pipeline: 1 })).toContain('"pipeline"');
    expect(refusal(createJobRequestSchema, { ...body, name: ' ' })).toContain('name');
    expect(refusal(createJobRequestSchema, { ...body, name: 'x'.repeat(256) })).toContain('name');
    expect(refusal(createJobRequestSchema, { ...body, limit: 0 })).toContain('limit');
    expect(refusal(createJobRequestSchema, { ...body, delay: -1 })).toContain('delay');
    expect(refusal(createJobRequestSchema, { ...body, project_id: '03' })).toContain('project_id');
  });
});
