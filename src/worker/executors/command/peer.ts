import type { Readable, Writable } from 'node:stream';
import type { Logger } from '../../../log/logger.js';
import { VERSION } from '../../../version.js';
import type { TaskImage } from '../../handler/handler.js';
import { deferred } from '../joined-signal.js';
import type { BatchOutcome } from '../executor.js';
import {
  CallReturnedError,
  HandlerCrashError,
  HandlerOutputError,
  HandlerStartError,
} from '../execution-errors.js';
import type { LinkCall } from '../handler-link.js';
import { outcomeOf } from '../handlers.js';
import { cleanLine } from '../output-lines.js';
import type { ControlMessage } from '../wire.js';
import { CallLine, type OpenCall } from './call-line.js';
import { faultError } from './fault.js';
import { FrameError, frameHead, FrameReader } from './frames.js';
import {
  HANDLER_PROTOCOL,
  readMessage,
  type FromHandler,
  type HandlerReady,
  type ImageHeader,
  type ToHandler,
} from './messages.js';

/** Both ends of a conversation with a handler, and who hears of it. */
export interface PeerOptions {
  /** What the handler writes. */
  readonly input: Readable;
  /** What the handler reads. */
  readonly output: Writable;
  readonly logger: Logger;
  /** Values that must not appear in what a handler says. */
  readonly secrets: readonly string[];
  /** Judges the `hello`. @returns words for a refusal. */
  readonly admit?:
    ((hello: Extract<FromHandler, { readonly type: 'hello' }>) => string | undefined) | undefined;
  /** The handler broke the protocol, and was told so; it must be ended. */
  readonly onBroken: (words: string) => void;
  /** The handler says that it leaves. */
  readonly onBye?: ((reason: string) => void) | undefined;
}

/** Calls that are sent ahead at most: one is enough to lose no time, and each holds its images in memory twice. */
const MAX_AHEAD = 1;

/**
 * The worker's end of the protocol with a handler outside Node, whatever carries it. Calls are worked on one after the other; whoever answers what was
 * not asked is not believed at all, because its answers may belong to other images.
 */
export class HandlerPeer {
  readonly #options: PeerOptions;
  readonly #ready = deferred<HandlerReady>();
  #greeted = false;
  #over = false;
  #ahead = 0;
  #calls = 0;
  #rssBytes = 0;
  readonly #line = new CallLine((open) => {
    this.#sendCall(open);
  });

  constructor(options: PeerOptions) {
    this.#options = options;
    const { input, output } = options;
    const reader = new FrameReader({
      frame: (header) => {
        this.#onMessage(readMessage(header));
      },
      text: (text) => {
        const reason = cleanLine(text.trim(), options.secrets);
        if (reason) options.logger.debug({ reason }, 'a handler wrote to standard output before it began');
      },
    });
    input.on('data', (chunk: Buffer) => {
      if (this.#over) return;
      try {
        reader.push(chunk);
      } catch (error) {
        if (error instanceof FrameError) this.#break(error.message, error.came);
        else this.#break(String(error));
      }
    });
    for (const stream of [input, output]) stream.on('error', () => undefined);
  }

  /** Settles once the handler is loaded and warm. @throws HandlerStartError */
  get ready(): Promise<HandlerReady> {
    return this.#ready.promise;
  }

  /** Calls so far, and the handler's resident size after the last. */
  get age(): { readonly batches: number; readonly rssBytes: number } {
    return { batches: this.#calls, rssBytes: this.#rssBytes };
  }

  /** Calls that the handler takes while it works on one; 0 until it is ready. */
  get ahead(): number {
    return this.#ahead;
  }

  /**
   * Calls the handler, now or as soon as it takes one more. The images' bytes are handed to the stream as they are.
   * @throws HandlerCrashError, CallReturnedError, what the handler says of the whole batch, or what {@link lost} is given.
   */
  async run(call: LinkCall): Promise<readonly BatchOutcome[]> {
    await this.ready;
    if (this.#over) throw new CallReturnedError('the handler is gone');
    const answers = await this.#line.add(call, this.#ahead);
    return call.unit.map(({ id }) => answers.get(id) ?? missing(id));
  }

  control(message: ControlMessage, call?: LinkCall): void {
    if (message.type === 'stopping') this.send({ type: 'stopping' });
    else {
      const number = call && this.#line.abort(call, message.kind)?.number;
      if (number !== undefined) this.send({ type: 'cancel', call: number, reason: message.kind });
    }
  }

  send(message: ToHandler, payload: readonly Buffer[] = []): void {
    const { output } = this.#options;
    if (this.#over || !output.writable) return;
    output.cork();
    output.write(
      frameHead(
        message,
        payload.reduce((sum, { length }) => sum + length, 0),
      ),
    );
    for (const bytes of payload) if (bytes.length > 0) output.write(bytes);
    output.uncork();
  }

  /** The handler is gone, or must be taken for it: everything that waits for it fails. */
  lost(how: string, error?: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#ready.reject(error ?? new HandlerStartError(`the handler ended at its start: ${how}`));
    this.#line.fail(
      (open) => error ?? new HandlerCrashError(`the handler died: ${how}`, { fresh: open.number === 1 }),
    );
  }

  #sendCall(open: OpenCall): void {
    this.#calls += 1;
    open.number = this.#calls;
    const { context, timeoutMs } = open.call;
    const images = [...open.images.values()];
    const remainingMs = context.deadline.remainingMs();
    this.send(
      {
        type: 'process',
        call: open.number,
        pipeline: context.pipeline ?? null,
        images: images.map(imageHeader),
        config: context.config,
        deadline_ms: Number.isFinite(remainingMs) ? remainingMs : null,
        timeout_ms: timeoutMs,
      },
      images.map(({ bytes }) => bytes),
    );
  }

  /** Both sides get words: the handler in a `bye`, the worker in the error of the call. @param came - for the log alone. */
  #break(words: string, came?: string): void {
    const { logger, secrets, onBroken } = this.#options;
    const text = `the handler broke the protocol: ${cleanLine(words, secrets)}`;
    this.send({ type: 'bye', reason: text });
    const reason = came === undefined ? text : `${text}; it was ${JSON.stringify(cleanLine(came, secrets))}`;
    logger.warn({ reason }, 'a handler broke the protocol');
    this.#ready.reject(new HandlerStartError(text));
    this.lost(text, new HandlerCrashError(text, { fresh: this.#line.first?.number === 1 }));
    onBroken(text);
  }

  #onMessage(message: FromHandler): void {
    const { logger, secrets, onBye } = this.#options;
    if (!this.#greeted && message.type !== 'hello' && message.type !== 'bye') {
      this.#break(`a handler begins with hello, and this one with ${message.type}`);
      return;
    }
    const sink = this.#line.logger ?? logger;
    switch (message.type) {
      case 'hello':
        this.#onHello(message);
        break;
      case 'ready':
        this.#ahead = Math.min(message.ahead, MAX_AHEAD);
        this.#ready.resolve(message);
        break;
      case 'answer':
        this.#onAnswer(message);
        break;
      case 'done':
        this.#onDone(message);
        break;
      case 'log':
        sink[message.level]({ reason: cleanLine(message.message, secrets) }, 'a handler says');
        break;
      case 'progress': {
        const { done, of = null } = message;
        const reason = `${done}${of === null ? '' : ` of ${of}`} ${message.message ?? ''}`.trim();
        sink.debug({ reason: cleanLine(reason, secrets) }, 'a handler is on its way');
        break;
      }
      case 'bye':
        logger.info({ reason: cleanLine(message.reason, secrets) }, 'a handler says goodbye');
        if (!this.#greeted) this.#ready.reject(new HandlerStartError(cleanLine(message.reason, secrets)));
        if (message.last_call !== undefined) this.#line.giveBackAfter(message.last_call);
        onBye?.(message.reason);
        break;
    }
  }

  #onHello(hello: Extract<FromHandler, { readonly type: 'hello' }>): void {
    const { admit } = this.#options;
    const refusal =
      hello.protocol === HANDLER_PROTOCOL
        ? admit?.(hello)
        : `the handler speaks version ${hello.protocol} of the protocol and this worker version ${HANDLER_PROTOCOL}; update the older one`;
    if (refusal !== undefined) {
      this.#break(refusal);
      return;
    }
    this.#greeted = true;
    this.send({ type: 'welcome', protocol: HANDLER_PROTOCOL, software: `antenna-sdk/${VERSION}` });
  }

  #onAnswer({ call: number, id, result, error }: Extract<FromHandler, { readonly type: 'answer' }>): void {
    const open = this.#line.first;
    if (number !== open?.number) this.#break(`it answered call ${number}, which is not open`);
    else {
      const image = open.images.get(id);
      if (!image) this.#break(`it answered for image ${JSON.stringify(id)}, which it was not given`);
      else if (open.outcomes.has(id)) this.#break(`it answered twice for image ${JSON.stringify(id)}`);
      else {
        const { secrets } = this.#options;
        open.outcomes.set(
          id,
          error ? { ok: false, error: faultError(error, secrets) } : outcomeOf(image, result),
        );
      }
    }
  }

  #onDone({ call: number, rss_bytes, error }: Extract<FromHandler, { readonly type: 'done' }>): void {
    if (number !== this.#line.first?.number) {
      this.#break(`it is done with call ${number}, which is not open`);
      return;
    }
    const open = this.#line.shift();
    this.#rssBytes = rss_bytes ?? 0;
    if (error) open?.reply.reject(faultError(error, this.#options.secrets));
    else open?.reply.resolve(open.outcomes);
    this.#line.advance(this.#ahead);
  }
}

function missing(id: string): BatchOutcome {
  return { ok: false, error: new HandlerOutputError(`the handler gave no answer for image ${id}`) };
}

function imageHeader({ id, url, bytes, contentType, jobId, detections }: TaskImage): ImageHeader {
  const query = url.indexOf('?');
  return {
    id,
    url: query === -1 ? url : url.slice(0, query),
    bytes: bytes.length,
    content_type: contentType ?? null,
    job_id: jobId,
    ...(detections.length > 0 ? { detections } : {}),
  };
}
