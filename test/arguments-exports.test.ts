import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import * as sdk from 'antenna-sdk';
import * as onnx from 'antenna-sdk/onnx';
import * as python from 'antenna-sdk/python';
import * as testing from 'antenna-sdk/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { clientOver, closeAll, KEY } from './support/calls.js';
import { pipelineDefinition } from './support/pipelines.js';

afterAll(closeAll);

/** Values that no option takes. */
const NONSENSE: readonly unknown[] = [null, Number.NaN, Symbol('x'), 1n];
/** Values that are no options at all. */
const NO_OPTIONS: readonly unknown[] = [null, 5, 'text', true, [], Symbol('x')];
const NO_TEXT: readonly unknown[] = [undefined, null, 5, {}, [], ''];

interface Entry {
  readonly make: (...args: never[]) => unknown;
  /** Good arguments. */
  readonly good: readonly unknown[];
  /** Bad values by the place of the argument. */
  readonly bad?: Readonly<Record<number, readonly unknown[]>>;
  /** Place and names of the options. */
  readonly options?: readonly [number, readonly string[]];
  /** What it throws, if not an AntennaConfigError. */
  readonly error?: abstract new (...args: never[]) => Error;
}

/** Every option of a type: the compiler refuses the list when one is missing. */
const names = <Options>(all: { readonly [Name in keyof Required<Options>]: 1 }): readonly string[] =>
  Object.keys(all);

const module = fileURLToPath(import.meta.url);
const sent: string[] = [];
const client = (): sdk.AntennaClient =>
  clientOver((input: string) => {
    sent.push(input);
    return Promise.resolve(Response.json({}));
  });
const limits = { timeoutMs: 1, abortGraceMs: 1, clock: 1 } as const;
const child = { ...limits, startTimeoutMs: 1, logger: 1, random: 1 } as const;

const command = names<sdk.CommandExecutorOptions>({
  ...{ ...child, command: 1, args: 1, cwd: 1, env: 1, processes: 1, devices: 1, recycle: 1 },
});
const attached = names<sdk.AttachedExecutorOptions>({ ...limits, listen: 1, logger: 1 });

/** Every function and class that users call with arguments of their own. What is new fails the first test below. */
const TABLE: Readonly<Record<string, Entry>> = {
  clientCredentials: {
    make: sdk.clientCredentials,
    good: [{ issuer: 'https://login.example.org', clientId: 'a', clientSecret: 'b' }],
    options: [
      0,
      names<sdk.ClientCredentialsOptions>({
        ...{ issuer: 1, tokenEndpoint: 1, clientId: 1, clientSecret: 1, privateKey: 1, keyId: 1 },
        ...{ authentication: 1, scope: 1, audience: 1, resource: 1, scheme: 1, lifetimeMs: 1 },
        ...{ allowInsecureHttp: 1, fetch: 1, clock: 1 },
      }),
    ],
  },
  commandToken: {
    make: sdk.commandToken,
    good: ['vault', ['read'], {}],
    bad: { 0: NO_TEXT, 1: [null, 5, 'read', {}, [5], new Array(2)] },
    options: [2, names<sdk.CommandTokenOptions>({ timeoutMs: 1, lifetimeMs: 1, env: 1, cwd: 1, clock: 1 })],
  },
  envToken: { make: sdk.envToken, good: ['KEY', {}], bad: { 0: NO_TEXT, 1: [null, 5, 'x', [], { A: 5 }] } },
  fileToken: {
    make: sdk.fileToken,
    good: ['/run/key', {}],
    bad: { 0: NO_TEXT },
    options: [1, names<sdk.FileTokenOptions>({ keepMs: 1, clock: 1 })],
  },
  loginToken: {
    make: sdk.loginToken,
    good: [{ baseUrl: 'https://antenna.example.org', email: 'a@b.c', password: 'x' }],
    options: [
      0,
      names<sdk.LoginTokenOptions>({
        ...{ baseUrl: 1, email: 1, password: 1, lifetimeMs: 1, allowInsecureHttp: 1, fetch: 1, clock: 1 },
      }),
    ],
  },
  staticToken: {
    make: sdk.staticToken,
    good: [KEY, {}],
    bad: { 0: NO_TEXT },
    options: [1, ['scheme']],
  },
  pushService: {
    make: sdk.pushService,
    good: [{ url: 'http://127.0.0.1:1', signal: AbortSignal.abort() }],
    options: [
      0,
      names<sdk.PushServiceOptions>({
        ...{ url: 1, start: 1, images: 1, pipelines: 1, config: 1, maxBatchSize: 1, timeoutMs: 1, random: 1 },
        ...{ restartTimeoutMs: 1, startTimeoutMs: 1, pollIntervalMs: 1, logger: 1, signal: 1, clock: 1 },
      }),
    ],
  },
  checkCredential: {
    make: sdk.checkCredential,
    good: [client(), {}],
    bad: {
      0: [undefined, null, 5, {}],
      1: [{ projects: [0] }, { projects: ['x'] }, { projects: new Array(2) }],
    },
    options: [
      1,
      names<Omit<sdk.CheckCredentialOptions, 'signal'>>({
        timeoutMs: 1,
        retries: 1,
        headers: 1,
        projects: 1,
      }),
    ],
  },
  writeKeyFile: {
    make: sdk.writeKeyFile,
    // A folder that is not there: the good call writes nothing either.
    good: ['/nowhere/key', KEY, {}],
    options: [2, ['overwrite']],
  },
  provision: {
    make: sdk.provision,
    good: [client(), { project: 1, serviceName: 'w', pipelines: [] }],
    bad: {
      0: [undefined, null, 5, {}],
      1: [
        { project: 0, serviceName: 'w', pipelines: [] },
        { project: 1, serviceName: 'w', pipelines: [], serviceId: 0 },
      ],
    },
    options: [
      1,
      names<Omit<sdk.ProvisionOptions, 'signal' | 'timeoutMs' | 'retries' | 'headers'>>({
        ...{
          project: 1,
          serviceName: 1,
          pipelines: 1,
          rotateKey: 1,
          currentKey: 1,
          serviceId: 1,
          dialect: 1,
        },
      }),
    ],
  },
  onTermination: { make: sdk.onTermination, good: [], bad: { 0: [undefined, null, 5, {}, { graceful: 1 }] } },
  AttachedExecutor: {
    make: (options: never) => new sdk.AttachedExecutor(options),
    good: [{ listen: { port: 0 } }],
    options: [0, attached],
  },
  CommandExecutor: {
    make: (options: never) => new sdk.CommandExecutor(options),
    good: [{ command: 'python3' }],
    bad: { 0: [{}, { command: 'python3', recycle: { batches: 1 } }] },
    options: [0, command],
  },
  pipelinesFromAttached: {
    make: sdk.pipelinesFromAttached,
    good: [],
    bad: { 0: [{}] },
    options: [0, attached],
  },
  pipelinesFromCommand: { make: sdk.pipelinesFromCommand, good: [], bad: { 0: [{}] }, options: [0, command] },
  InlineExecutor: {
    make: (options: never) => new sdk.InlineExecutor(options),
    good: [{}],
    options: [0, names<sdk.InlineExecutorOptions>({ ...limits, process: 1, processBatch: 1, warmUp: 1 })],
  },
  ProcessExecutor: {
    make: (options: never) => new sdk.ProcessExecutor(options),
    good: [{ module }],
    bad: {
      0: [
        {},
        { module: '/nowhere/handler.js' },
        { module: 'file:///nowhere/handler.js' },
        { module, processes: 0 },
      ],
    },
    options: [
      0,
      names<sdk.ProcessExecutorOptions>({
        ...{ ...child, module: 1, processes: 1, maxBatches: 1, maxRssBytes: 1, execArgv: 1, env: 1 },
      }),
    ],
  },
  ThreadExecutor: {
    make: (options: never) => new sdk.ThreadExecutor(options),
    good: [{ module }],
    bad: { 0: [{}, { module: new URL('https://host/handler.js') }, { module, threads: 0 }] },
    options: [
      0,
      names<sdk.ThreadExecutorOptions>({ ...child, module: 1, threads: 1, maxHeapBytes: 1, execArgv: 1 }),
    ],
  },
  startHealthServer: {
    make: sdk.startHealthServer,
    good: [{ source: { health: () => undefined }, port: -1 }],
    bad: { 0: [{}, { port: 0 }, { source: { health: () => undefined } }] },
    options: [
      0,
      names<sdk.HealthServerOptions>({ source: 1, port: 1, host: 1, metrics: 1, view: 1, logger: 1 }),
    ],
  },
  readStatus: {
    make: sdk.readStatus,
    good: ['http://127.0.0.1:9'],
    bad: { 0: [undefined, null, 5, '', 'localhost', 'ftp://host', 'http://user:pass@host'] },
    options: [1, names<sdk.ReadStatusOptions>({ timeoutMs: 1, signal: 1, fetch: 1 })],
  },
  progressBar: {
    make: sdk.progressBar,
    good: [{ on: () => () => undefined }, { stream: new PassThrough() }],
    bad: { 0: [undefined, null, 5, {}] },
    options: [1, names<sdk.ProgressBarOptions>({ stream: 1, total: 1 })],
  },
  definePipeline: { make: sdk.definePipeline, good: [], bad: { 0: [undefined, {}] }, options: [0, ['slug']] },
  Credential: {
    make: (name: never, value: never, prefix: never) => sdk.Credential.header(name, value, prefix),
    good: ['x-key', 'secret', 'Key'],
    bad: { 0: [...NO_TEXT, 'a b', 'host'], 1: NO_TEXT, 2: [null, 5, {}, 'two words'] },
  },
  Secret: {
    make: (value: never) => new sdk.Secret(value),
    good: ['secret'],
    bad: { 0: NO_TEXT.slice(0, -1) },
  },
  staticSource: { make: sdk.staticSource, good: [], bad: { 0: [null, 5, KEY, {}] } },
  ProvisionedKey: {
    make: (secret: never) => new sdk.ProvisionedKey(secret),
    good: [new sdk.Secret(KEY)],
    bad: { 0: [undefined, null, 5, KEY, {}] },
  },
  Pace: {
    make: (windowMs: never) => new sdk.Pace(windowMs),
    good: [],
    bad: { 0: [null, 0, -1, Number.NaN, '60', {}] },
  },
  StatusBoard: {
    make: (options: never) => new sdk.StatusBoard(options),
    good: [{ worker: new sdk.AntennaWorker({ client: client(), pipelines: [pipelineDefinition()] }) }],
    bad: { 0: [{}, { worker: {} }] },
    options: [0, names<sdk.StatusBoardOptions>({ worker: 1, name: 1, view: 1, device: 1 })],
  },
  Downloader: {
    make: (options: never) => new sdk.Downloader(options),
    good: [{ clock: sdk.systemClock }],
    bad: {
      0: [
        {},
        { clock: sdk.systemClock, limits: { maxByte: 1 } },
        { clock: sdk.systemClock, limits: { timeoutMs: 0 } },
      ],
    },
    options: [0, ['clock', 'random', 'limits', 'fetch']],
  },
  encodeResult: { make: sdk.encodeResult, good: [], bad: { 0: [undefined, {}] }, options: [0, ['result']] },
  AntennaClient: {
    make: (options: never) => new sdk.AntennaClient(options),
    good: [{ baseUrl: 'https://host', apiKey: KEY }],
    options: [0, ['baseUrl', 'apiKey', 'token', 'timeoutMs', 'retries', 'headers', 'cache', 'tokenProvider']],
  },
  AntennaWorker: {
    make: (options: never) => new sdk.AntennaWorker(options),
    good: [{ client: client(), pipelines: [] }],
    bad: { 0: [{}] },
    options: [
      0,
      names<sdk.AntennaWorkerOptions>({
        ...{ client: 1, pipelines: 1, projects: 1, jobs: 1, concurrency: 1, maxBatchSize: 1, maxHeld: 1 },
        ...{
          downloadConcurrency: 1,
          imageBudgetBytes: 1,
          outboxBytes: 1,
          maxPostBytes: 1,
          maxPostResults: 1,
        },
        ...{ lingerMs: 1, pollIntervalMs: 1, graceMs: 1, processTimeoutMs: 1, leaseMs: 1, maxDeliveries: 1 },
        ...{ spool: 1, failures: 1, download: 1, fetch: 1, register: 1, random: 1 },
      }),
    ],
  },
  // The server's stand-in knows nothing of the SDK, its errors neither.
  createContractServer: {
    make: testing.createContractServer,
    good: [{ dialect: 'token' }],
    bad: { 0: [{}, { dialect: 'token', seed: '1' }, { dialect: 'token', saving: { perSecond: -1 } }] },
    options: [
      0,
      names<testing.ContractServerOptions>({
        ...{ dialect: 1, seed: 1, clock: 1, baseUrl: 1, visibilityTimeoutMs: 1, maxDeliveries: 1, saving: 1 },
        ...{
          maxOutstanding: 1,
          saveDelayMs: 1,
          startDelayMs: 1,
          emptyWaitMs: 1,
          pageSize: 1,
          ledgerLimit: 1,
        },
        ...{
          enforceKeyExpiry: 1,
          reaper: 1,
          reapAfterMs: 1,
          reapEveryMs: 1,
          requestLimit: 1,
          resultLimit: 1,
        },
      }),
    ],
    error: TypeError,
  },
  createImageHost: {
    make: testing.createImageHost,
    good: [{}],
    options: [0, names<testing.ImageHostOptions>({ origin: 1, clock: 1, seed: 1, requestLimit: 1 })],
    error: TypeError,
  },
  createTestClock: {
    make: testing.createTestClock,
    good: [0],
    bad: { 0: [null, Number.NaN, '0', new Date(0), {}] },
    error: TypeError,
  },
  generateImage: {
    make: testing.generateImage,
    good: [{}],
    bad: { 0: [{ width: 0 }, { width: 1.5 }, { insects: -1 }] },
    options: [0, names<testing.GeneratedImageOptions>({ width: 1, height: 1, insects: 1, seed: 1 })],
    error: TypeError,
  },
  serveContractServer: {
    make: testing.serveContractServer,
    // A port that cannot be had: nothing listens after the sweep.
    good: [{ dialect: 'token' }, { port: 0, host: '192.0.2.1' }],
    bad: { 0: [undefined, null, 5, {}, [], { dialect: 'token', project: [] }] },
    options: [1, names<testing.ListenOptions>({ port: 1, host: 1 })],
    error: TypeError,
  },
};

/**
 * What takes no options and refuses nothing, because it sends and starts nothing and answers on any value: facts about an answer of the
 * server (`isFinal`, `jobProgress`, `leftOutOf`, `stageParam`), a text without secrets (`redact`), a date (`parseServerTimestamp`,
 * with a RangeError), boxes of a checked result (`foundBoxes`), facts to a report (`health`), a place (`pythonHelperPath`). A
 * `LatencyHistogram` has no options, and leaves out what is no number.
 */
const READERS: readonly string[] = [
  ...['redact', 'foundBoxes', 'leftOutOf', 'stageParam', 'isFinal', 'jobProgress', 'health'],
  ...['parseServerTimestamp', 'pythonHelperPath', 'LatencyHistogram'],
];

const isError = (value: unknown): boolean =>
  value === Error || (typeof value === 'function' && value.prototype instanceof Error);

const show = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? Object.entries(value)
        .map(([name, part]) => `${name} (${part === null ? 'null' : typeof part})`)
        .join(', ')
    : String(value);

const outcome = async (call: () => unknown): Promise<unknown> => {
  try {
    return await call();
  } catch (error) {
    return error;
  }
};

describe('every public function', () => {
  it('is in the table of this test, or reads only', () => {
    const all = Object.entries({ ...sdk, ...testing }).filter(
      ([, value]) => typeof value === 'function' && !isError(value),
    );
    // Swept by onnx/arguments.test.ts; the other entry is one path.
    expect(
      Object.entries(onnx).flatMap(([name, value]) => (typeof value === 'function' ? name : [])),
    ).toEqual(['inspectOnnxModel', 'onnxPipeline']);
    expect(Object.values(python).map((value) => typeof value)).toEqual(['string']);
    expect(all.map(([name]) => name).sort()).toEqual([...Object.keys(TABLE), ...READERS].sort());
  });

  it.each(Object.entries(TABLE))(
    '%s refuses every bad argument with words, and does nothing',
    async (_, entry) => {
      const { make, good, bad = {}, options, error: kind = sdk.AntennaConfigError } = entry;
      const cases = Object.entries(bad).flatMap(([at, values]) =>
        values.map((value) => [Number(at), value] as const),
      );
      if (options) {
        const [at, known] = options;
        const own = good[at] ?? {};
        const wrong = known.flatMap((name) => NONSENSE.map((value) => ({ ...own, [name]: value })));
        for (const value of [...NO_OPTIONS, { ...own, nonsense: 1 }, ...wrong]) cases.push([at, value]);
      }
      for (const [index, value] of cases) {
        const given = good.map((usual, at) => (at === index ? value : usual));
        if (index >= good.length) given[index] = value;
        const error = await outcome(() => (make as (...args: unknown[]) => unknown)(...given));
        const label = `argument ${index}: ${show(value)}`;
        expect(error, label).toBeInstanceOf(kind);
        expect((error as Error).message, label).not.toMatch(
          /\[object Object\]|Cannot read|is not a function/,
        );
        expect(sent, label).toEqual([]);
      }
    },
  );

  it('names an option that is misspelt, and those that there are', async () => {
    const error = (await outcome(() => sdk.fileToken('/run/key', { keepMS: 5 } as never))) as Error;
    expect(error.message).toBe(
      'Invalid fileToken options: keepMS: is no option here; there are keepMs, clock',
    );
  });
});
