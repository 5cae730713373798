import { Worker } from 'node:worker_threads';
import type { Logger } from '../log/logger.js';
import { deferred, type Deferred } from '../worker/executors/joined-signal.js';
import { entryFile } from '../worker/executors/entry-file.js';
import { HandlerCrashError, HandlerStartError } from '../worker/executors/execution-errors.js';
import { fromWireError } from '../worker/executors/wire-error.js';
import { ONNX_DEFAULTS } from './description.js';
import { connect, endOf, END_MS, loadedIn, post, rejectOnDeath } from './engine-threads.js';
import { planOf, type LoadedModel, type Plan } from './plan.js';
import type { ImageToProcess, ProcessedImage } from './process-image.js';
import type { ResolvedDescription, ResolvedModel } from './resolve.js';
import type { SessionSettings } from './session-host.js';
import type { FromPrepare, ToPrepare, ToSession } from './thread-messages.js';

/** What an engine is started with. */
export interface EngineOptions {
  readonly description: ResolvedDescription;
  readonly logger: Logger;
  /** Node's options for the threads. Default: those of this process. */
  readonly execArgv?: readonly string[] | undefined;
  /** Gives the start up. */
  readonly signal?: AbortSignal | undefined;
}

interface Preparing {
  readonly thread: Worker;
  readonly open: Set<number>;
}

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
  static async start({ description, logger, execArgv, signal }: EngineOptions): Promise<OnnxEngine> {
    const { runtime } = description;
    const settings = settingsOf(description);
    const options = execArgv ? { execArgv: [...execArgv] } : {};
    const threads: Worker[] = [];
    // A thread may also die while others are started: a session that has its models would not be missed until a call waits for it.
    const ended = deferred<never>();
    let over = false;
    const spawn = (name: 'onnx-session' | 'onnx-prepare', count: number): readonly Worker[] =>
      Array.from({ length: count }, () => {
        // What was on its way when the start failed must start nothing that nobody would end.
        if (over) throw new HandlerStartError('the start has failed already');
        const thread = new Worker(entryFile(name), { ...options, workerData: settings });
        threads.push(thread);
        rejectOnDeath(thread, ended.reject);
        return thread;
      });
    const onAbort = (): void => {
      ended.reject(signal?.reason as Error);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    const start = async (): Promise<OnnxEngine> => {
      const sessions = spawn('onnx-session', runtime.sessions);
      const loaded = await Promise.all(sessions.map((thread) => loadedIn(thread, description, logger)));
      const [first = []] = loaded;
      const plan = planOf(description, first);
      report(description, first, logger);
      const preparing = spawn('onnx-prepare', runtime.prepareThreads);
      const memoryBytes = Math.floor(runtime.memoryBytes / runtime.prepareThreads);
      await Promise.all(preparing.map((thread) => connect(thread, sessions, { plan, memoryBytes })));
      return new OnnxEngine(plan, sessions, preparing);
    };
    try {
      signal?.throwIfAborted();
      return await Promise.race([start(), ended.promise]);
    } catch (error) {
      over = true;
      await Promise.all(threads.map((thread) => endOf(thread, 0)));
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
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
  async process(
    { bytes, known }: ImageToProcess,
    give: boolean,
    signal: AbortSignal,
  ): Promise<ProcessedImage> {
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
    least.thread.postMessage({ type: 'image', id, image: { bytes: sent, known } } satisfies ToPrepare, [
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
    await Promise.all(this.#threads().map((thread) => endOf(thread, graceMs)));
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

function settingsOf({ runtime, detector, classifiers }: ResolvedDescription): SessionSettings {
  return {
    models: [detector, ...classifiers].map(toLoad),
    providers: runtime.providers,
    threads: runtime.threadsPerSession,
    modelBatch: runtime.modelBatch,
  };
}

function toLoad(model: ResolvedModel, index: number): SessionSettings['models'][number] {
  const side = index === 0 ? ONNX_DEFAULTS.detectorInput : ONNX_DEFAULTS.classifierInput;
  const { where, path, inputSize } = model;
  return { where, path, wanted: inputSize, fallback: { width: side, height: side } };
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
