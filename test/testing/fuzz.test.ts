import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCaller, createWorld } from './helpers.js';

const segment = fc.constantFrom(
  ...[
    'jobs',
    '1',
    '2',
    '999',
    'abc',
    'tasks',
    'result',
    'run',
    'cancel',
    'retry',
    'projects',
    'pipelines',
    'ml',
  ],
  ...[
    'processing_services',
    'generate_key',
    'status',
    'users',
    'me',
    'auth',
    'token',
    'login',
    'logout',
    '%zz',
    '',
  ],
);
const path = fc
  .tuple(fc.array(segment, { maxLength: 4 }), fc.boolean())
  .map(([parts, slash]) => `/${parts.join('/')}${slash ? '/' : ''}`);
const query = fc.dictionary(
  fc.constantFrom(
    'limit',
    'offset',
    'project_id',
    'ids_only',
    'ordering',
    'status',
    'search',
    'start_now',
    'project',
  ),
  fc.constantFrom('', '0', '1', '-1', 'abc', '99999999999999999999', 'STARTED', 'created_at,-name', 'é%'),
);
const body = fc.oneof(
  fc.constant(undefined),
  fc.json({ maxDepth: 4 }),
  fc.string(),
  fc
    .record({
      batch_size: fc.jsonValue(),
      results: fc.jsonValue(),
      pipelines: fc.array(
        fc.record({
          name: fc.string(),
          slug: fc.string(),
          version: fc.jsonValue(),
          algorithms: fc.jsonValue(),
        }),
      ),
      client_info: fc.jsonValue(),
      name: fc.jsonValue(),
      project_id: fc.jsonValue(),
      delay: fc.jsonValue(),
    })
    .map((value) => JSON.stringify(value)),
);

describe('whatever a client sends', () => {
  it.each(['api-key', 'token'] as const)(
    'gets an answer of the contract from an %s server',
    async (dialect) => {
      const world = createWorld({ dialect });
      world.project.job({ pipeline: world.pipeline, images: 3 });
      const identities = [
        null,
        `Token ${world.user.token}`,
        `Api-Key ${world.key.value}`,
        'Token',
        'Bearer x',
      ];
      const request = fc.record({
        method: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'),
        path,
        query,
        body,
        authorization: fc.constantFrom(...identities),
      });
      await fc.assert(
        fc.asyncProperty(request, async (sent) => {
          const call = createCaller(world.server.fetch, world.server.baseUrl, '');
          const hasBody = sent.method !== 'GET' && sent.method !== 'HEAD';
          const answer = await call(
            sent.method,
            `${sent.path}?${new URLSearchParams(sent.query).toString()}`,
            hasBody ? sent.body : undefined,
            { authorization: sent.authorization },
          );
          expect(String(answer.body)).not.toContain('The contract server failed');
          expect([200, 201, 204, 301, 302, 400, 401, 403, 404, 405, 406, 415, 500]).toContain(answer.status);
        }),
        { numRuns: 600 },
      );
    },
    60_000,
  );
});
