import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { readAnswer } from '../../src/contract/answer.js';
import * as contract from '../../src/contract/index.js';
import { leftOutOf } from '../../src/contract/index.js';
import { job, page, stage } from './samples.js';

const task = (id: number) => ({
  id: `${id}`,
  image_id: `${id}`,
  image_url: `https://img.example.org/${id}.jpg?X-Amz-Signature=hush`,
  reply_subject: `$JS.ACK.a.${id}`,
});
const algorithm = { id: 3, key: 'moth-box', name: 'Moth Box', category_map: { id: 1, labels: ['a'] } };
const pipeline = {
  id: 2,
  name: 'Moths',
  slug: 'moths',
  description: 'of the night',
  algorithms: [algorithm, { ...algorithm, id: 4, key: 'moth-name' }],
  processing_services: [
    { id: 5, name: 'one' },
    { id: 6, name: 'two' },
  ],
  project_pipeline_configs: [{ id: 1, enabled: true, config: {} }],
};
const service = {
  id: 5,
  name: 'one',
  description: '',
  projects: [1, 2],
  endpoint_url: null,
  is_async: true,
  pipelines: [{ id: 2, slug: 'moths', name: 'Moths' }],
  api_key_prefix: 'abcdefgh',
  last_seen: '2026-01-01T00:00:00',
  last_seen_live: true,
  last_seen_client_info: {},
};
const status = {
  timestamp: '2026-01-01T00:00:00',
  request_successful: true,
  server_live: true,
  pipelines_online: ['moths', 'bees'],
  error: null,
  endpoint_url: null,
  latency: 0.1,
};
const wholeJob = (id: number) => ({
  ...job,
  id,
  project: { id: 1, name: 'Meadow' },
  deployment: { id: 1, name: 'A tree' },
  pipeline: { id: 2, slug: 'moths', name: 'Moths' },
  job_type: { key: 'ml', name: 'ML' },
  created_at: '2026-01-01T00:00:00',
  updated_at: '2026-01-01T00:00:00',
  started_at: null,
  finished_at: null,
  duration: '1.5',
  progress: {
    summary: { status: 'STARTED', progress: 0.5 },
    stages: [{ ...stage, params: [{ key: 'failed', name: 'Failed', value: 1 }] }, stage],
    errors: [],
  },
});
const pageOf = (...results: unknown[]) => ({ ...page, count: results.length, results });
const project = (id: number) => ({
  id,
  name: `p${id}`,
  description: '',
  draft: false,
  created_at: 'x',
  updated_at: 'x',
});

/** Every answer that is a list, or holds one, with a body that has all its fields. */
const ANSWERS: [name: string, schema: z.ZodType<object>, body: object, list: string | undefined][] = [
  ['tasks', contract.tasksResponseSchema, { tasks: [task(1), task(2), task(3)] }, 'tasks'],
  ['jobs', contract.jobPageSchema, pageOf(wholeJob(1), wholeJob(2), wholeJob(3)), 'results'],
  [
    'open jobs',
    contract.jobSummaryPageSchema,
    pageOf({ id: 1, pipeline_slug: 'a' }, { id: 2, pipeline_slug: 'b' }, { id: 3, pipeline_slug: null }),
    'results',
  ],
  ['projects', contract.projectPageSchema, pageOf(project(1), project(2)), 'results'],
  ['pipelines', contract.pipelinePageSchema, pageOf(pipeline, { ...pipeline, id: 7 }), 'results'],
  ['services', contract.processingServicePageSchema, pageOf(service, { ...service, id: 9 }), 'results'],
  ['a job', contract.jobSchema, wholeJob(1), undefined],
  ['a pipeline', contract.pipelineSchema, pipeline, undefined],
  ['a service', contract.processingServiceSchema, service, undefined],
  ['a new service', contract.createServiceResponseSchema, { instance: service, status }, undefined],
  ['a status', contract.serviceStatusSchema, status, undefined],
  [
    'a project',
    contract.projectDetailSchema,
    { ...project(1), owner: { id: 1, name: 'me' }, feature_flags: {}, settings: {}, is_member: true },
    undefined,
  ],
  [
    'a registration',
    contract.registrationResponseSchema,
    {
      success: true,
      error: null,
      pipelines: [{}],
      pipelines_created: ['a', 'b'],
      algorithms_created: [],
      timestamp: 'x',
    },
    undefined,
  ],
  [
    'accepted results',
    contract.resultsResponseSchema,
    {
      status: 'accepted',
      job_id: 1,
      results_queued: 2,
      tasks: [
        { reply_subject: 'a', status: 'queued', task_id: 'x' },
        { reply_subject: 'b', status: 'queued', task_id: null },
      ],
    },
    undefined,
  ],
  ['the user', contract.userSchema, { id: 1, name: 'me', email: 'me@example.org' }, undefined],
];

type Path = readonly (string | number)[];

/** Every place in a body: members of objects and arrays, at any depth. */
function placesIn(value: unknown, prefix: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [];
  const names = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return names.flatMap((name) => {
    const path = [...prefix, name];
    return [path, ...placesIn((value as Record<string | number, unknown>)[name], path)];
  });
}

function put(body: object, path: Path, value: unknown): object {
  const copy = JSON.parse(JSON.stringify(body)) as object;
  let at = copy as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
  const last = path.at(-1) ?? '';
  if (value === undefined && !Array.isArray(at)) Reflect.deleteProperty(at, last);
  else at[last] = value ?? null;
  return copy;
}

const DAMAGE = fc.constantFrom<unknown>(
  null,
  undefined,
  '',
  'text',
  -1,
  1.5,
  true,
  [],
  [null],
  {},
  { a: 1 },
  '../x',
);

const get = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((at, key) => (at as Record<string | number, unknown> | undefined)?.[key], value);

describe.each(ANSWERS)('of %s', (_, schema, body, list) => {
  it('the sample is read as it is', () => {
    expect(readAnswer(schema, body)).toMatchObject({ ok: true, leftOut: [] });
  });

  it('any one place may be damaged, and every other item of a list still arrives', () => {
    const places = placesIn(body);
    fc.assert(
      fc.property(fc.constantFrom(...places), DAMAGE, (path, damage) => {
        const broken = put(body, path, damage);
        const reading = readAnswer(schema, broken);
        const inList = path.findIndex((key) => typeof key === 'number');
        if (inList < 0) return;
        // The damage is inside of a list: the answer as a whole is not damaged by it.
        if (!reading.ok) throw new Error(`${path.join('.')}: ${reading.issue.path} ${reading.issue.message}`);
        const listPath = path.slice(0, inList);
        const before = get(body, listPath) as unknown[];
        const after = get(reading.value, listPath) as unknown[];
        const others = before.filter((_item, index) => index !== path[inList]);
        for (const item of others) expect(after).toContainEqual(item);
        expect(after.length).toBeGreaterThanOrEqual(before.length - 1);
        // Nothing goes without a word.
        if (after.length < before.length) expect(reading.leftOut).toHaveLength(1);
        const damaged = path.map(String).join('.');
        for (const { path: where } of reading.leftOut)
          expect(damaged.startsWith(where) || where.startsWith(damaged)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it('a field that may be missing costs no more than itself when it is damaged', () => {
    fc.assert(
      fc.property(fc.constantFrom(...placesIn(body)), DAMAGE, (path, damage) => {
        const missing = readAnswer(schema, put(body, path, undefined));
        const reading = readAnswer(schema, put(body, path, damage));
        const name = path.at(-1);
        const whole = name === 'config' || name === 'api_key_prefix' || typeof name === 'number';
        if (!missing.ok || missing.leftOut.length > 0 || whole) return;
        expect(reading.ok).toBe(true);
        if (reading.ok && reading.leftOut.length > 0)
          expect(reading.leftOut[0]?.path.startsWith(path.map(String).join('.'))).toBe(true);
      }),
    );
  });

  it('unknown fields pass, anywhere', () => {
    const objects = [[], ...placesIn(body)].filter((path) => {
      const value = get(body, path);
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    });
    for (const path of objects) {
      const broken = put(body, [...path, 'brand_new'], { of: 'tomorrow' });
      const reading = readAnswer(schema, broken);
      expect(reading).toMatchObject({ ok: true, leftOut: [] });
      if (reading.ok) expect(get(reading.value, [...path, 'brand_new'])).toEqual({ of: 'tomorrow' });
    }
  });

  it('without its list is damage, never an empty one', () => {
    if (list === undefined) return;
    for (const wrong of [undefined, null, {}, 'x', 5])
      expect(readAnswer(schema, put(body, [list], wrong)).ok).toBe(false);
  });
});

describe('what was left out', () => {
  const tasks = [task(1), { ...task(2), image_url: '' }, null, task(4)];
  const reading = readAnswer(contract.tasksResponseSchema, { tasks });
  if (!reading.ok) throw new Error('it should be readable');

  it('is named by its place in the answer as it came, its problem and its id', () => {
    expect(reading.leftOut).toMatchObject([
      { path: 'tasks.1', id: '2', problem: expect.stringContaining('image_url') as string },
      { path: 'tasks.2', id: undefined },
    ]);
    expect(reading.leftOut[0]?.item).toEqual(tasks[1]);
    expect(leftOutOf(reading.value)).toEqual(reading.leftOut);
  });

  it('is seen on the answer, and changes neither its keys nor its JSON', () => {
    expect(Object.keys(reading.value)).toEqual(['tasks']);
    expect(JSON.stringify(reading.value)).not.toContain('leftOut');
  });

  it('does not show the item when it is printed: a signed address is a secret', () => {
    const broken = readAnswer(contract.tasksResponseSchema, { tasks: [{ ...task(1), reply_subject: 5 }] });
    const [one] = broken.ok ? broken.leftOut : [];
    expect(one?.item).toBeDefined();
    expect(`${inspect(broken, { depth: 9, showHidden: true })} ${JSON.stringify(broken)}`).not.toContain(
      'hush',
    );
  });

  it('does not repeat what stands in the place of an id', () => {
    const odd = { ...task(1), id: 'https://img.example.org/x?X-Amz-Signature=hush', image_url: '' };
    const broken = readAnswer(contract.tasksResponseSchema, { tasks: [odd] });
    expect(broken.ok && broken.leftOut[0]?.id).toBeUndefined();
  });

  it('is nothing for an answer that was used as it came, and for what is no answer', () => {
    for (const answer of [[], {}, null, undefined, 5, 'x']) expect(leftOutOf(answer)).toEqual([]);
  });

  it('takes a task with it whose configuration is damaged: it would be processed otherwise than asked', () => {
    const wrong = readAnswer(contract.tasksResponseSchema, {
      tasks: [task(1), { ...task(2), config: 'fast' }],
    });
    expect(wrong).toMatchObject({ ok: true, leftOut: [{ path: 'tasks.1' }] });
  });
});
