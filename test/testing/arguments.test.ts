import { createContractServer, createImageHost } from 'antenna-sdk/testing';
import { describe, expect, it } from 'vitest';

type Call = (...args: unknown[]) => unknown;
const BAD: readonly unknown[] = [null, 5, 'text', true, [], Symbol('x'), { nonsense: 1 }];

/** Objects that a test of a user holds, each new, with their methods by name: good arguments, and which of them are options. */
function world() {
  const server = createContractServer({ dialect: 'api-key' });
  const project = server.project();
  const service = project.service();
  const pipeline = project.pipeline({ slug: 'a' });
  const images = createImageHost();
  return { server, project, service, pipeline, faults: server.faults, images, imageFaults: images.faults };
}
type Owner = keyof ReturnType<typeof world>;

const METHODS: readonly (readonly [
  Owner,
  string,
  readonly unknown[],
  Readonly<Record<number, readonly unknown[]>>,
])[] = [
  ['server', 'user', [{}], { 0: [...BAD, { email: 5 }, { superuser: 'yes' }, { id: -1 }] }],
  ['server', 'project', [{}], { 0: [...BAD, { draft: 1 }, { members: {} }] }],
  [
    'server',
    'use',
    [{}, {}],
    { 0: [...BAD, { route: 'task' }, { times: '1' }], 1: [...BAD.slice(0, -1), { stat: 5 }] },
  ],
  ['server', 'job', [1], { 0: [undefined, null, '1', {}, -1, Number.NaN] }],
  ['project', 'service', [{}], { 0: [...BAD, { name: 5 }] }],
  // Definitions of workers fit, so that further names are none of its business.
  [
    'project',
    'pipeline',
    [{ slug: 'b' }],
    { 0: [undefined, ...BAD, {}, { slug: 5 }, { slug: 'b', algorithms: {} }] },
  ],
  [
    'project',
    'job',
    [{ pipeline: null }],
    { 0: [undefined, ...BAD, {}, { pipeline: 5 }, { pipeline: null, limt: 5 }] },
  ],
  ['project', 'member', [{ id: 1 }], { 0: [undefined, null, 5, {}, { id: '1' }], 1: [null, 5] }],
  ['project', 'deployment', [{ name: 'x' }], { 0: [undefined, ...BAD, {}, { name: 'x', images: 5 }] }],
  ['service', 'key', [{}], { 0: [...BAD, { value: 5 }] }],
  ['service', 'join', [{ id: 1 }], { 0: [undefined, null, 5, {}] }],
  ['pipeline', 'enableIn', [{ id: 1 }, {}], { 0: [undefined, null, 5, {}], 1: BAD }],
  ['faults', 'latency', [1, {}], { 0: [undefined, null, '1', -1, Number.NaN], 1: BAD }],
  ['faults', 'answer', [{}, {}], { 0: [undefined, ...BAD], 1: BAD }],
  ['faults', 'tooManyRequests', [{}, {}], { 0: BAD, 1: BAD }],
  ['faults', 'tooLarge', [{ maxBytes: 1 }, {}], { 0: [undefined, ...BAD, {}], 1: BAD }],
  ['faults', 'resetBefore', [{}], { 0: [...BAD, { probability: Number.NaN }, { where: 5 }] }],
  ['faults', 'resetAfter', [{}], { 0: BAD }],
  ['faults', 'stallHeaders', [{}, {}], { 0: BAD, 1: BAD }],
  ['faults', 'stallBody', [{}, {}], { 0: BAD, 1: BAD }],
  ['faults', 'truncateBody', [{}, {}], { 0: BAD, 1: BAD }],
  ['faults', 'contentType', ['text/html', {}], { 0: [undefined, null, 5], 1: BAD }],
  ['faults', 'outage', [{}, {}], { 0: BAD, 1: BAD }],
  ['faults', 'intervene', [() => undefined, {}], { 0: [undefined, null, 5, {}], 1: BAD }],
  ['faults', 'queueOutage', [{}], { 0: [...BAD, { hangMs: '1' }] }],
  ['faults', 'brokerOutage', [{}], { 0: BAD }],
  ['faults', 'saveFailure', [{}], { 0: [...BAD, { imageIds: 5 }] }],
  ['faults', 'redeliveryStorm', [{}], { 0: [{ nonsense: 1 }, { after: '1' }] }],
  ['imageFaults', 'lieAboutLength', [5, {}], { 0: [undefined, null, '5', -1], 1: BAD }],
  [
    'images',
    'add',
    ['a.png', new Uint8Array()],
    { 0: [undefined, null, 5, {}], 1: [undefined, null, 'x', []] },
  ],
  ['images', 'addFile', ['a.png'], { 0: [undefined, null, 5, {}] }],
  ['images', 'url', ['a.png'], { 0: [undefined, null, 5, {}] }],
  ['images', 'generate', [{}], { 0: [...BAD, { path: 5 }, { width: 0 }] }],
  ['images', 'listen', [{}], { 0: [...BAD, { port: '80' }] }],
  ['server', 'listen', [{}], { 0: [...BAD, { host: 5 }] }],
];

const outcome = async (call: () => unknown): Promise<unknown> => {
  try {
    return await call();
  } catch (error) {
    return error;
  }
};

describe('what a test makes and holds', () => {
  it.each(METHODS)('%s.%s refuses every bad argument with words', async (owner, method, good, bad) => {
    for (const [at, values] of Object.entries(bad))
      for (const value of values) {
        const object = world()[owner] as unknown as Record<string, Call>;
        const given = [...good];
        given[Number(at)] = value;
        const error = await outcome(() => object[method]?.(...given));
        const label = `argument ${at}: ${typeof value === 'symbol' ? 'a symbol' : JSON.stringify(value)}`;
        expect(error, label).toBeInstanceOf(TypeError);
        expect((error as Error).message, label).not.toMatch(/Cannot read|is not|undefined/);
      }
  });
});
