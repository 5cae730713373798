import { describe, expect, it } from 'vitest';
import {
  apiKeyRegistrationSchema,
  pipelineConfigSchema,
  pipelinePageSchema,
  pipelineSchema,
  registrationRequestSchema,
  registrationResponseSchema,
  tokenRegistrationSchema,
} from '../../src/contract/index.js';
import { refusal, without } from './refusal.js';
import { page, pipeline } from './samples.js';

describe('a pipeline to register', () => {
  it('goes through unchanged, with or without stages', () => {
    const stages = [{ key: 's1', name: 'Stage', params: [{ name: 'P', key: 'p' }] }];
    expect(pipelineConfigSchema.parse(pipeline)).toEqual(pipeline);
    expect(pipelineConfigSchema.parse({ ...pipeline, stages })).toEqual({ ...pipeline, stages });
  });

  it.each(['name', 'slug'] as const)('has a %s that is neither empty nor over 255 characters', (field) => {
    expect(refusal(pipelineConfigSchema, { ...pipeline, [field]: '' })).toContain(field);
    expect(refusal(pipelineConfigSchema, { ...pipeline, [field]: 'x'.repeat(256) })).toContain(field);
  });

  it('has a version, for which the server knows no default', () => {
    expect(refusal(pipelineConfigSchema, without(pipeline, 'version'))).toContain('version');
    expect(refusal(pipelineConfigSchema, { ...pipeline, version: '1' })).toContain('version');
  });

  it('lists its algorithms: without them the server registers an empty pipeline that can never deliver (T48)', () => {
    expect(refusal(pipelineConfigSchema, without(pipeline, 'algorithms'))).toContain('algorithms');
  });

  it('names a misspelt field and where it is', () => {
    const misspelt = { ...pipeline, algoritms: pipeline.algorithms };
    expect(refusal(registrationRequestSchema, { pipelines: [pipeline, misspelt] })).toMatch(
      /"algoritms"[^]*pipelines\[1\]/,
    );
  });
});

describe('a registration', () => {
  it('names its service in the token dialect only', () => {
    const token = { processing_service_name: 'my-worker', pipelines: [pipeline] };
    const apiKey = { pipelines: [pipeline], client_info: { hostname: 'node-2' } };
    expect(tokenRegistrationSchema.parse(token)).toEqual(token);
    expect(apiKeyRegistrationSchema.parse(apiKey)).toEqual(apiKey);
    expect(refusal(tokenRegistrationSchema, apiKey)).toContain('processing_service_name');
    expect(refusal(apiKeyRegistrationSchema, token)).toContain('"processing_service_name"');
  });

  it.each(['', '  ', null, 5, 'x'.repeat(256)])('refuses %j as the name of a service', (name) => {
    const body = { processing_service_name: name, pipelines: [] };
    expect(refusal(registrationRequestSchema, body)).toContain('processing_service_name');
  });

  it('is checked as the dialect that it is written in, and names the misspelt field', () => {
    const token = { processing_service_name: 'my-worker', pipelines: [pipeline] };
    expect(registrationRequestSchema.parse(token)).toEqual(token);
    expect(registrationRequestSchema.parse({ pipelines: [] })).toEqual({ pipelines: [] });
    expect(refusal(registrationRequestSchema, { processing_service_nam: 'w', pipelines: [] })).toContain(
      '"processing_service_nam"',
    );
    expect(refusal(registrationRequestSchema, { pipelines: null })).toContain('pipelines');
  });
});

describe('the answer to a registration', () => {
  const answer = {
    success: true,
    error: null,
    pipelines: [],
    pipelines_created: ['moth-quick', 'moth-box'],
    algorithms_created: [],
  };

  it('may mix slugs and algorithm keys, leave out what was created, and say more than we know (T46)', () => {
    expect(registrationResponseSchema.parse({ ...answer, pipelines_updated: [] })).toEqual({
      ...answer,
      pipelines_updated: [],
    });
    expect(registrationResponseSchema.safeParse(without(answer, 'algorithms_created')).success).toBe(true);
  });

  it('is not the list of pipelines, which a redirected POST ends at with 200 (T1)', () => {
    expect(registrationResponseSchema.safeParse({ ...page, results: [] }).success).toBe(false);
  });
});

describe('a stored pipeline', () => {
  const stored = {
    id: 1,
    name: 'Moth Quick',
    slug: 'moth-quick',
    algorithms: [{ key: 'moth-box', name: 'Moth Box' }],
  };

  it('keeps unknown fields', () => {
    expect(pipelineSchema.parse({ ...stored, colour: 'brown' })).toEqual({ ...stored, colour: 'brown' });
  });

  it.each(['id', 'slug', 'algorithms'] as const)(
    'without `%s` cannot be compared with what was sent (T44)',
    (key) => {
      expect(refusal(pipelinePageSchema, { ...page, count: 1, results: [without(stored, key)] })).toContain(
        `results[0].${key}`,
      );
    },
  );
});
