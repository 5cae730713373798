import { describe, expect, it } from 'vitest';
import {
  apiKeyRegistrationSchema,
  clientInfoSchema,
  reserveRequestSchema,
  resultsRequestSchema,
} from '../../src/contract/index.js';
import { refusal } from './refusal.js';

describe('client_info', () => {
  it('takes the named fields and any extra', () => {
    const info = {
      hostname: 'node-2',
      software: 'moths',
      version: '1',
      platform: 'linux',
      pod_name: 'p',
      gpu: 'H',
      slots: 4,
    };
    expect(clientInfoSchema.parse(info)).toEqual(info);
    expect(clientInfoSchema.parse({})).toEqual({});
  });

  it.each([
    ['tasks', reserveRequestSchema, { batch_size: 1 }],
    ['result', resultsRequestSchema, { results: [] }],
    ['registration', apiKeyRegistrationSchema, { pipelines: [] }],
  ])(
    'on %s is absent or an object, never null or a list: a 400 for the whole request (T35)',
    (_call, schema, body) => {
      expect(schema.safeParse(body).success).toBe(true);
      expect(schema.safeParse({ ...body, client_info: {} }).success).toBe(true);
      for (const wrong of [null, [], 'node-2', 5]) {
        expect(refusal(schema, { ...body, client_info: wrong })).toContain('client_info');
      }
    },
  );

  it('holds no null, which a typed field answers with 400 and an extra never shows', () => {
    expect(refusal(clientInfoSchema, { hostname: null })).toContain('hostname');
    expect(refusal(clientInfoSchema, { gpu: null })).toMatch(/must not be null[^]*gpu/);
    expect(refusal(clientInfoSchema, { gpu: undefined })).toContain('gpu');
  });

  it('has text in its named fields, as the server turns a number into text and refuses an object', () => {
    expect(refusal(clientInfoSchema, { version: 2 })).toContain('version');
    expect(refusal(clientInfoSchema, { platform: { os: 'linux' } })).toContain('platform');
  });
});
