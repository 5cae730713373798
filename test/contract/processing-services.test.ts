import { describe, expect, it } from 'vitest';
import {
  createServiceRequestSchema,
  createServiceResponseSchema,
  generateKeyResponseSchema,
  processingServicePageSchema,
  processingServiceSchema,
  serviceStatusSchema,
} from '../../src/contract/index.js';
import { refusal, without } from './refusal.js';
import { page, service } from './samples.js';

describe('creating a service', () => {
  it('needs a name: the server answers 500 without one (T49)', () => {
    expect(createServiceRequestSchema.parse({ name: 'my-worker' })).toEqual({ name: 'my-worker' });
    for (const body of [{}, { name: '' }, { name: ' ' }, { name: null }]) {
      expect(refusal(createServiceRequestSchema, body)).toContain('name');
    }
  });

  it('takes a name of 46 characters and says why not 47 (T49)', () => {
    expect(createServiceRequestSchema.safeParse({ name: 'x'.repeat(46) }).success).toBe(true);
    expect(refusal(createServiceRequestSchema, { name: 'x'.repeat(47) })).toMatch(/at most 46[^]*keys/);
  });

  it('has no endpoint, which the server would probe for minutes, and no projects, which it ignores', () => {
    expect(refusal(createServiceRequestSchema, { name: 'w', endpoint_url: 'http://w' })).toContain(
      '"endpoint_url"',
    );
    expect(refusal(createServiceRequestSchema, { name: 'w', projects: [1] })).toContain('"projects"');
  });

  it('answers with the service wrapped in `instance` (T49)', () => {
    expect(createServiceResponseSchema.parse({ instance: service }).instance).toEqual(service);
    expect(refusal(createServiceResponseSchema, service)).toContain('instance');
  });
});

describe('a service', () => {
  it('keeps unknown fields and may lack those that only one dialect has', () => {
    expect(processingServiceSchema.parse({ ...service, region: 'eu' })).toEqual({ ...service, region: 'eu' });
    const keyed = {
      ...service,
      api_key_prefix: null,
      last_seen: null,
      last_seen_live: null,
      last_seen_client_info: null,
    };
    expect(processingServiceSchema.parse(keyed)).toEqual(keyed);
  });

  it('without id or name is damage, and a page without `results` is no empty list', () => {
    expect(refusal(processingServiceSchema, without(service, 'id'))).toContain('id');
    expect(refusal(processingServiceSchema, without(service, 'name'))).toContain('name');
    expect(refusal(processingServicePageSchema, without(page, 'results'))).toContain('results');
  });
});

describe('a status', () => {
  const status = {
    timestamp: '2026-11-20T22:07:28.497639',
    request_successful: false,
    server_live: false,
    pipelines_online: [],
  };

  it('has a latency of 0 or 0.0, an error or none', () => {
    expect(serviceStatusSchema.parse({ ...status, latency: 0, error: null })).toMatchObject({
      latency: 0,
      error: null,
    });
  });

  it('without `server_live` is damage, never "offline"', () => {
    expect(refusal(serviceStatusSchema, without(status, 'server_live'))).toContain('server_live');
  });
});

describe('a generated key', () => {
  it('is there or the answer is damage: the key before it is already revoked', () => {
    expect(generateKeyResponseSchema.parse({ api_key: 'a.b', prefix: 'a', expires: null })).toMatchObject({
      api_key: 'a.b',
    });
    expect(refusal(generateKeyResponseSchema, { prefix: 'a' })).toContain('api_key');
    expect(refusal(generateKeyResponseSchema, { api_key: '', prefix: 'a' })).toContain('api_key');
  });
});
