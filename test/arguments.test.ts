import { AntennaClient, AntennaConfigError, AntennaWorker, definePipeline } from 'antenna-sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { parseBaseUrl } from '../src/http/url.js';
import { clientOver, closeAll, failure, KEY, thrown, TOKEN } from './support/calls.js';
import { pipelineDefinition } from './support/pipelines.js';

afterEach(closeAll);

type Call = (...args: unknown[]) => unknown;
type Kind = 'id' | 'query' | 'body' | 'array' | 'options';

const circle: Record<string, unknown> = {};
circle['self'] = circle;

/** Values that are wrong for each kind of argument. */
const BAD: Readonly<Record<Kind, readonly unknown[]>> = {
  id: [
    ...[
      undefined,
      null,
      {},
      [],
      [5],
      '',
      ' 5',
      '5 ',
      '05',
      '5.0',
      '../projects',
      '%2e%2e',
      '5/../6',
      'five',
      'ٳ',
    ],
    ...[
      -1,
      0,
      1.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      2 ** 53,
      '9007199254740993',
      true,
      5n,
      Symbol('5'),
      () => 5,
    ],
  ],
  query: [
    null,
    5,
    'limit',
    true,
    [],
    { limt: 5 },
    { limit: '5' },
    { limit: 0 },
    { offset: -1 },
    { ordering: 5 },
    circle,
  ],
  body: [undefined, null, 5, 'text', [], {}, { nonsense: 1 }, circle],
  array: [undefined, null, 5, 'text', {}, [undefined], [null], [5], [{}], new Array(2), [{ bytes: 'x' }]],
  options: [
    ...[
      null,
      5,
      'text',
      true,
      [],
      { timeout: 5 },
      { timeoutMs: '5' },
      { timeoutMs: 0 },
      { timeoutMs: Number.NaN },
    ],
    ...[
      { timeoutMs: null },
      { retries: -1 },
      { retries: '3' },
      { retries: 1.5 },
      { retries: Number.POSITIVE_INFINITY },
    ],
    ...[
      { signal: 5 },
      { signal: {} },
      { headers: 5 },
      { headers: [] },
      { headers: { a: 5 } },
      { headers: { 'a b': 'x' } },
    ],
    ...[{ headers: { authorization: 'x' } }, { nocache: 1 }, { noCache: true }, circle],
  ],
};

const config = {
  name: 'M',
  slug: 'm',
  version: 1,
  algorithms: [{ name: 'B', key: 'b', task_type: 'detection' }],
};
const result = { reply_subject: 'a', result: { error: 'x', image_id: '1' } };

/** Every method that sends something: what its arguments are, and good values for them. A method that is missing fails the test. */
const METHODS: Readonly<Record<string, Readonly<Record<string, readonly (readonly [Kind, unknown])[]>>>> = {
  auth: {
    login: [
      ['body', { email: 'a@b.c', password: 'x' }],
      ['options', {}],
    ],
    logout: [['options', {}]],
    me: [['options', {}]],
    credential: [['options', {}]],
  },
  projects: {
    list: [
      ['query', {}],
      ['options', {}],
    ],
    get: [
      ['id', 5],
      ['options', {}],
    ],
  },
  pipelines: {
    list: [
      ['query', {}],
      ['options', {}],
    ],
    listForProject: [
      ['id', 5],
      ['query', {}],
      ['options', {}],
    ],
    get: [
      ['id', 5],
      ['options', {}],
    ],
    register: [
      ['id', 5],
      ['array', [config]],
      ['options', {}],
    ],
  },
  processingServices: {
    list: [
      ['id', 5],
      ['query', {}],
      ['options', {}],
    ],
    get: [
      ['id', 5],
      ['id', 6],
      ['options', {}],
    ],
    status: [
      ['id', 5],
      ['options', {}],
    ],
    create: [
      ['id', 5],
      ['body', { name: 'w' }],
      ['options', {}],
    ],
    generateKey: [
      ['id', 5],
      ['id', 6],
      ['options', {}],
    ],
    supportsKeys: [['options', {}]],
  },
  jobs: {
    list: [
      ['query', {}],
      ['options', {}],
    ],
    open: [
      ['body', { pipelines: ['a'] }],
      ['options', {}],
    ],
    get: [
      ['id', 5],
      ['options', {}],
    ],
    create: [
      ['body', { name: 'n', project_id: 1 }],
      ['options', {}],
    ],
    run: [
      ['id', 5],
      ['options', {}],
    ],
    cancel: [
      ['id', 5],
      ['options', {}],
    ],
    retry: [
      ['id', 5],
      ['options', {}],
    ],
  },
  tasks: {
    reserve: [
      ['id', 5],
      ['body', { batchSize: 1 }],
      ['options', {}],
    ],
  },
  results: {
    submit: [
      ['id', 5],
      ['array', [result]],
      ['options', {}],
    ],
  },
};

const show = (value: unknown): string => {
  try {
    return typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol'
      ? String(value)
      : JSON.stringify(value);
  } catch {
    return 'a circle';
  }
};

function silent(options: ConstructorParameters<typeof AntennaClient>[0] = {}) {
  const sent: string[] = [];
  const fetch = (input: string): Promise<Response> => {
    sent.push(input);
    return Promise.resolve(Response.json({}));
  };
  return { client: clientOver(fetch, options), sent };
}

/** The error of a call, thrown at once or later. */
const outcome = async (call: () => unknown): Promise<unknown> => {
  try {
    return await call();
  } catch (error) {
    return error;
  }
};

const methodOf = (client: AntennaClient, resource: string, method: string): Call => {
  const owner = (client as unknown as Record<string, Record<string, Call>>)[resource] ?? {};
  return (...args) => owner[method]?.(...args);
};

describe('every public method of the client', () => {
  it('is in the table of this test', () => {
    const { client } = silent();
    for (const [resource, methods] of Object.entries(METHODS)) {
      const owner = (client as unknown as Record<string, object>)[resource] ?? {};
      const names = Object.getOwnPropertyNames(Object.getPrototypeOf(owner)).filter(
        (name) => name !== 'constructor',
      );
      expect([resource, ...names.sort()]).toEqual([resource, ...Object.keys(methods).sort()]);
    }
  });

  const sweep = Object.entries(METHODS).flatMap(([resource, methods]) =>
    Object.entries(methods).map(
      ([method, args]) => [`${resource}.${method}`, resource, method, args] as const,
    ),
  );
  it.each(sweep)(
    '%s refuses every bad argument with words, before anything is sent',
    async (_, resource, method, args) => {
      for (const cache of [false, {}] as const) {
        const { client, sent } = silent({ cache });
        const good = args.map(([, value]) => value);
        for (const [index, [kind]] of args.entries())
          for (const bad of BAD[kind]) {
            const given = good.map((value, at) => (at === index ? bad : value));
            const error = await outcome(() => methodOf(client, resource, method)(...given));
            const label = `${resource}.${method}, argument ${index}: ${show(bad)}`;
            expect(error, label).toBeInstanceOf(AntennaConfigError);
            expect((error as Error).message, label).not.toContain('[object Object]');
            expect(sent, label).toEqual([]);
          }
      }
    },
  );

  it.each(sweep)('%s sends with good ones, ids in digits too', async (_, resource, method, args) => {
    const { client, sent } = silent();
    const digits = args.map(([kind, value]) => (kind === 'id' ? String(value) : value));
    const error = await outcome(() => methodOf(client, resource, method)(...digits));
    expect(error).not.toBeInstanceOf(AntennaConfigError);
    if (method !== 'credential') expect(sent.length).toBeGreaterThan(0);
  });

  it('refuses what toArray cannot count to, and options that only some calls have', async () => {
    const { client, sent } = silent();
    for (const bad of [undefined, null, '5', {}, -1, Number.NaN])
      expect(await failure(client.projects.list().toArray(bad as number))).toBeInstanceOf(AntennaConfigError);
    for (const options of [{ start: 1 }, { begin: true }])
      expect(
        await outcome(() => (client.jobs.create as Call)({ name: 'n', project_id: 1 }, options)),
      ).toBeInstanceOf(AntennaConfigError);
    for (const options of [
      { readBack: 1 },
      { dialect: 'bearer' },
      { credential: {} },
      { serviceName: 5 },
      { name: 'x' },
    ])
      expect(await outcome(() => (client.pipelines.register as Call)(5, [config], options))).toBeInstanceOf(
        AntennaConfigError,
      );
    for (const options of [null, { timeout: 5 }])
      expect(await outcome(() => (client.probeDialect as Call).call(client, options))).toBeInstanceOf(
        AntennaConfigError,
      );
    expect(sent).toEqual([]);
  });

  it('says which argument is wrong and what it must be', async () => {
    const { client } = silent();
    const error = await failure(client.jobs.get({} as number));
    expect(error.message).toBe(
      'Invalid arguments: id: must be an id: a positive integer, as a number or in digits',
    );
    expect((await failure(client.jobs.get(1, { timeout: 5 } as never))).message).toMatch(
      /timeout: is no option here; there are signal, timeoutMs, /,
    );
  });
});

describe('the address of the server', () => {
  it.each([
    ['https://host/projects/5/jobs', 'a page or a resource'],
    ['https://host/jobs', 'a page or a resource'],
    ['https://host/antenna/projects/5', 'a page or a resource'],
    ['https://host/api/v2/projects/', 'goes on after /api/v2'],
    ['https://host/api', 'with the version'],
  ])('%s is refused, with the one to give', (address, words) => {
    const { message } = thrown(() => new AntennaClient({ baseUrl: address, apiKey: KEY }));
    expect(message).toContain(words);
    expect(message).toContain('https://antenna.example.org');
  });

  it.each([
    'https://host',
    'https://host/',
    'https://host/api/v2/',
    'https://host/projects/antenna',
    'https://host/projects/5/api/v2',
  ])('%s is taken', (address) => {
    expect(parseBaseUrl(address).ok).toBe(true);
  });
});

describe('a key or token', () => {
  it.each([
    ['apiKey', `Api-Key ${KEY}`],
    ['apiKey', `Authorization: Api-Key ${KEY}`],
    ['token', `Token ${TOKEN}`],
    ['token', `bearer ${TOKEN}`],
  ] as const)('given as %s with the word of its scheme is refused with what to do', (name, value) => {
    const { message } = thrown(() => new AntennaClient({ baseUrl: 'https://host', [name]: value }));
    expect(message).toContain('leave that out');
    expect(message).not.toContain(value.slice(-20));
  });
});

describe('a worker', () => {
  const worker = () =>
    new AntennaWorker({ client: silent().client, pipelines: [pipelineDefinition()], register: false });

  it('has no method with arguments that the next test leaves out', () => {
    const accessors = ['state', 'client', 'held'];
    const without = ['metrics', 'explain', 'pause', 'resume', 'drain'];
    const swept = ['run', 'stop', 'on', 'onTerminate', 'health'];
    const names = Object.getOwnPropertyNames(AntennaWorker.prototype);
    expect(names.sort()).toEqual(['constructor', ...accessors, ...without, ...swept].sort());
  });

  it.each([
    ['run', [null]],
    ['run', [5]],
    ['run', [{ until: 'drain' }]],
    ['run', [{ untill: 'drained' }]],
    ['run', [{ handleSignals: 1 }]],
    ['stop', [null]],
    ['stop', [5]],
    ['stop', [{ graceMs: '5' }]],
    ['stop', [{ graceMs: -1 }]],
    ['stop', [{ grace: 5 }]],
    ['on', []],
    ['on', ['task']],
    ['on', ['task', 5]],
    ['on', ['tasks', (): void => undefined]],
    ['on', [5, (): void => undefined]],
    ['onTerminate', []],
    ['onTerminate', ['bye']],
    ['health', [{ contact: 5 }]],
    ['health', [{ contactMs: '5' }]],
  ])('refuses %s with %j and goes on as it was', async (method, args) => {
    const made = worker();
    const error = await outcome(() => (made as unknown as Record<string, Call>)[method]?.(...args));
    expect(error).toBeInstanceOf(AntennaConfigError);
    expect(made.state).toBe('idle');
  });

  it.each([undefined, null, 5, 'pipeline', {}, { ...pipelineDefinition(), proces: () => undefined }])(
    'has no pipeline of %o',
    (definition) => {
      expect(thrown(() => definePipeline(definition as never))).toBeInstanceOf(AntennaConfigError);
    },
  );
});
