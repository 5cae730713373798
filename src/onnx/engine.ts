import { MessageChannel, Worker } from 'node:worker_threads';
import { AntennaConfigError } from '../errors/config.js';
import type { Logger } from '../log/logger.js';
import { deferred, type Deferred } from '../worker/executors/deferred.js';
import { entryFile } from '../worker/executors/entry-file.js';
import { HandlerCrashError, HandlerStartError } from '../worker/executors/execution-errors.js';
import { fromWireError } from '../worker/executors/wire-error.js';
import { ONNX_DEFAULTS } from './description.js';
import { planOf, type LoadedModel, type Plan } from './plan.js';
import type { ProcessedImage } from './process-image.js';
import type { ResolvedDescription, ResolvedModel } from './resolve.js';
import type { SessionSettings } from './session-host.js';
import type { FromPrepare, FromSession, ToPrepare, ToSession } from './thread-messages.js';

/** What an engine is started with. */
export interface EngineOptions {
  readonly description: ResolvedDescription;
  readonly logger: Logger;
  /** Node's options for the threads. Default: those of this process. */
  readonly execArgv?: readonly string[] | undefined;
}

interface Preparing {
  readonly thread: Worker;
  readonly open: Set<number>;
}

/** How long threads have to end by themselves: a model in the middle of a run cannot be interrupted without harm. */
const END_MS = 2_000;

/**
 * The threads behind a pipeline: some that prepare images, some that hold the models, with a line from each of the first to each of the second.
 * This thread sees files go and results come.
 */
export class OnnxEngine {
  readonly plan: Plan;
  readonly #sessions: readonly Worker[];
  readonly #preparing: readonly Preparing[];
  readonly #waiting = new Map<number, Deferred<ProcessedImage>>();
  #next = 0;
  #death: Error | undefined;
  #closing = false;

  private constructor(plan: Plan, sessions: readonly Worker[], preparing: readonly Worker[]) {
    this.plan = plan;
    this.#sessions = sessions;
    this.#preparing = preparing.map((thread) => ({ thread, open: new Set<number>() }));
    for (const { thread, open } of this.#preparing)
      thread.on('message', (message: FromPrepare) => {
        this.#hear(message, open);
      });
    for (const thread of this.#threads()) {
      thread.on('error', (error) => {
        this.#die(error);
      });
      thread.on('exit', (code) => {
        this.#die(new Error(`it exited with code ${code}`));
      });
    }
  }

  /**
   * Loads and warms the models, and checks them against their description.
   * @throws AntennaConfigError when they do not fit it, HandlerStartError when a thread cannot start.
   */
  static async start({ description, logger, execArgv }: EngineOptions): Promise<OnnxEngine> {
    const { runtime, detector, classifiers } = description;
    const models = [detector, ...classifiers].map(toLoad);
    const settings: SessionSettings = {
      models,
      providers: runtime.providers,
      threads: runtime.threadsPerSession,
      modelBatch: runtime.modelBatch,
    };
    const options = execArgv ? { execArgv: [...execArgv] } : {};
    const spawn = (name: 'onnx-session' | 'onnx-prepare', workerData?: SessionSettings): Worker =>
      new Worker(entryFile(name), { ...options, workerData });
    const sessions = Array.from({ length: runtime.sessions }, () => spawn('onnx-session', settings));
    const preparing: Worker[] = [];
    try {
      const loaded = await Promise.all(sessions.map((thread) => loadedIn(thread, description, logger)));
      const [first = []] = loaded;
      const plan = planOf(description, first);
      report(description, first, logger);
      for (let count = 0; count < runtime.prepareThreads; count += 1) preparing.push(spawn('onnx-prepare'));
      const memoryBytes = Math.floor(runtime.memoryBytes / runtime.prepareThreads);
      await Promise.all(preparing.map((thread) => connect(thread, sessions, { plan, memoryBytes })));
      return new OnnxEngine(plan, sessions, preparing);
    } catch (error) {
      await Promise.all([...sessions, ...preparing].map((thread) => thread.terminate()));
      throw error;
    }
  }

  /** Undefined while it works. */
  get death(): Error | undefined {
    return this.#death;
  }

  /**
   * Processes an image; its bytes are moved away if they have their memory to themselves and `give` is set.
   * @throws what became of it instead, HandlerCrashError when a thread died, the signal's reason.
   */
  async process(bytes: Uint8Array, give: boolean, signal: AbortSignal): Promise<ProcessedImage> {
    if (this.#death) throw this.#death;
    // A signal that has aborted before is never heard.
    signal.throwIfAborted();
    const [least] = [...this.#preparing].sort((a, b) => a.open.size - b.open.size);
    if (!least) throw new HandlerStartError('no thread prepares images');
    const id = (this.#next += 1);
    const answer = deferred<ProcessedImage>();
    this.#waiting.set(id, answer);
    least.open.add(id);
    const onAbort = (): void => {
      post(least.thread, { type: 'abort', id });
      answer.reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const owned = bytes.byteLength === bytes.buffer.byteLength;
    const sent = give && owned ? bytes : Uint8Array.from(bytes);
    least.thread.postMessage({ type: 'image', id, bytes: sent } satisfies ToPrepare, [
      sent.buffer as ArrayBuffer,
    ]);
    try {
      return await answer.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#waiting.delete(id);
    }
  }

  /** Lets the threads end, and ends those that do not. Images in work are given up. */
  async close(graceMs = END_MS): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#failAll(new HandlerCrashError('the engine was closed', { fresh: false }));
    for (const { thread } of this.#preparing) post(thread, { type: 'close' });
    for (const thread of this.#sessions) thread.postMessage({ type: 'close' } satisfies ToSession);
    await Promise.all(this.#threads().map((thread) => ended(thread, graceMs)));
  }

  #threads(): readonly Worker[] {
    return [...this.#sessions, ...this.#preparing.map(({ thread }) => thread)];
  }

  #hear(message: FromPrepare, open: Set<number>): void {
    if (message.type !== 'done' && message.type !== 'error') return;
    open.delete(message.id);
    const answer = this.#waiting.get(message.id);
    if (message.type === 'error') answer?.reject(fromWireError(message.error));
    else answer?.resolve({ result: message.result, timings: message.timings });
  }

  #die(cause: Error): void {
    if (this.#closing || this.#death) return;
    this.#death = new HandlerCrashError(`a thread of the models died: ${cause.message}`, {
      fresh: false,
      cause,
    });
    this.#failAll(this.#death);
    for (const thread of this.#threads()) void thread.terminate();
  }

  #failAll(error: Error): void {
    for (const answer of this.#waiting.values()) answer.reject(error);
  }
}

function toLoad(model: ResolvedModel, index: number): SessionSettings['models'][number] {
  const side = index === 0 ? ONNX_DEFAULTS.detectorInput : ONNX_DEFAULTS.classifierInput;
  const { where, path, inputSize } = model;
  return { where, path, wanted: inputSize, fallback: { width: side, height: side } };
}

function post(thread: Worker, message: ToPrepare): void {
  thread.postMessage(message);
}

/** Waits until a session thread has its models. */
function loadedIn(
  thread: Worker,
  { config }: ResolvedDescription,
  logger: Logger,
): Promise<readonly LoadedModel[]> {
  return new Promise((resolve, reject) => {
    thread.on('message', (message: FromSession) => {
      if (message.type === 'loaded') resolve(message.models);
      else if (message.type === 'log') logger[message.level]({ pipeline: config.slug }, message.message);
      else if (message.type === 'failed')
        reject(new HandlerStartError(`the models cannot be loaded: ${message.error.message}`));
      else
        reject(
          new AntennaConfigError(
            `The models of ${JSON.stringify(config.slug)} cannot be used`,
            message.issues,
          ),
        );
    });
    rejectOnDeath(thread, reject);
  });
}

/** Gives a preparing thread its plan, and a line to every session. */
function connect(
  thread: Worker,
  sessions: readonly Worker[],
  { plan, memoryBytes }: { readonly plan: Plan; readonly memoryBytes: number },
): Promise<void> {
  const ports = sessions.map((session) => {
    const { port1, port2 } = new MessageChannel();
    session.postMessage({ type: 'serve', port: port1 } satisfies ToSession, [port1]);
    return port2;
  });
  return new Promise((resolve, reject) => {
    thread.on('message', (message: FromPrepare) => {
      if (message.type === 'ready') resolve();
      else if (message.type === 'failed')
        reject(new HandlerStartError(`images cannot be prepared: ${message.error.message}`));
    });
    rejectOnDeath(thread, reject);
    thread.postMessage({ type: 'plan', plan, memoryBytes, ports } satisfies ToPrepare, ports);
  });
}

function rejectOnDeath(thread: Worker, reject: (error: Error) => void): void {
  thread.once('error', (error) => {
    reject(
      new HandlerStartError(`a thread of the models died at its start: ${error.message}`, { cause: error }),
    );
  });
  thread.once('exit', (code) => {
    reject(new HandlerStartError(`a thread of the models exited at its start with code ${code}`));
  });
}

async function ended(thread: Worker, graceMs: number): Promise<void> {
  if (thread.threadId === -1) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(
      () =>
        void thread.terminate().then(() => {
          resolve();
        }),
      graceMs,
    );
    thread.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Says where each model runs, and why not where it would run faster: a worker on the CPU of a machine with a GPU looks only slow. */
function report(
  { config, runtime }: ResolvedDescription,
  models: readonly LoadedModel[],
  logger: Logger,
): void {
  models.forEach(({ provider, notes, input, maxBatch, runMs }, index) => {
    const which = index === 0 ? 'the detector' : `classifier ${index}`;
    const cpu = provider === 'cpu' ? ` with ${runtime.threadsPerSession} threads` : '';
    logger.info(
      { pipeline: config.slug, batchSize: maxBatch, durationMs: Math.round(runMs) },
      `${which} runs on ${provider}${cpu}, ${input.width} × ${input.height} pixels of ${input.type}`,
    );
    for (const note of notes) logger.info({ pipeline: config.slug }, `${which}: ${note}`);
  });
}
