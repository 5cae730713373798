import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { AntennaConfigError } from '../../errors/config.js';
import { safeFields, type Logger, type LogMethod } from '../../log/logger.js';
import { HandlerAbortError } from './joined-signal.js';
import type { HandlerContext } from '../handler/handler.js';
import { callHandlers, callWarmUp, modeOf, type Handlers } from './handlers.js';
import {
  fromWireImage,
  toWireOutcome,
  type ControlMessage,
  type ProgressMessage,
  type WireReady,
  type WireReply,
  type WireUnit,
} from './wire.js';
import { toWireError } from './wire-error.js';

/** The far end of an executor: loads a handler module in a thread or process and calls it. */
export class HandlerHost {
  readonly #handlers: Handlers;
  #abort = new AbortController();
  #stopping = new AbortController();
  #calls = 0;

  private constructor(handlers: Handlers) {
    this.#handlers = handlers;
  }

  /**
   * Imports a module and warms it up.
   * @throws what the import or `warmUp` throws, or AntennaConfigError when it exports no handler.
   */
  static async load(
    module: string,
    send: (message: ProgressMessage) => void,
  ): Promise<{ readonly host: HandlerHost; readonly ready: WireReady }> {
    const host = new HandlerHost(handlersOf(await import(pathToFileURL(module).href), module));
    const warmMs = await callWarmUp(host.#handlers, host.#context({}, Number.POSITIVE_INFINITY, send));
    return { host, ready: { mode: modeOf(host.#handlers), warmMs } };
  }

  /** One call. Never rejects. */
  async call(unit: WireUnit, send: (message: ProgressMessage) => void): Promise<WireReply> {
    this.#abort = new AbortController();
    this.#stopping = new AbortController();
    send({ type: 'started', fresh: this.#calls === 0 });
    this.#calls += 1;
    try {
      const context = this.#context(unit.config, unit.remainingMs, send);
      const outcomes = await callHandlers(this.#handlers, unit.images.map(fromWireImage), context);
      return { outcomes: outcomes.map(toWireOutcome) };
    } catch (error) {
      return { failed: toWireError(error) };
    }
  }

  /** Passes on what the worker says while a call runs. */
  control(message: ControlMessage): void {
    if (message.type === 'stopping') this.#stopping.abort();
    else this.#abort.abort(new HandlerAbortError(message.kind));
  }

  #context(
    config: WireUnit['config'],
    remainingMs: number,
    send: (message: ProgressMessage) => void,
  ): HandlerContext {
    const endsAt = performance.now() + remainingMs;
    return {
      signal: this.#abort.signal,
      stopping: this.#stopping.signal,
      config,
      logger: forwardingLogger(send),
      deadline: { remainingMs: () => Math.max(0, endsAt - performance.now()) },
    };
  }
}

/** The handlers that a module exports, by name or as its default export. */
function handlersOf(namespace: unknown, module: string): Handlers {
  const exported = namespace as { readonly default?: unknown };
  const fallback = exported.default;
  // import() gives a CommonJS module as `default`.
  const bag = typeof fallback === 'object' && fallback !== null ? { ...fallback, ...exported } : exported;
  const { process, processBatch, warmUp } = bag as Handlers;
  const image = process ?? (typeof fallback === 'function' ? (fallback as Handlers['process']) : undefined);
  if (image === undefined && processBatch === undefined) {
    const message = 'exports no handler: export process(image, context) or processBatch(images, context)';
    throw new AntennaConfigError(`Cannot use the handler module ${module}`, [{ path: '', message }]);
  }
  return { process: image, processBatch, warmUp };
}

/** Log lines travel to the worker's logger; only what it would let pass leaves the thread. */
function forwardingLogger(send: (message: ProgressMessage) => void): Logger {
  const forward =
    (level: keyof Logger): LogMethod =>
    (fields, message) => {
      send({ type: 'log', level, fields: safeFields(fields), message });
    };
  return { debug: forward('debug'), info: forward('info'), warn: forward('warn'), error: forward('error') };
}
