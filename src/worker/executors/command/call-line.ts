import type { Logger } from '../../../log/logger.js';
import type { TaskImage } from '../../handler/handler.js';
import { HandlerAbortError, type AbortKind, deferred, type Deferred } from '../joined-signal.js';
import { CallReturnedError } from '../execution-errors.js';
import type { BatchOutcome } from '../executor.js';
import type { LinkCall } from '../handler-link.js';

/** What a handler has answered, by image. */
export type Answers = ReadonlyMap<string, BatchOutcome>;

/** A call that a handler has, or gets as soon as it takes one more. */
export interface OpenCall {
  readonly call: LinkCall;
  readonly images: ReadonlyMap<string, TaskImage>;
  readonly outcomes: Map<string, BatchOutcome>;
  readonly reply: Deferred<Answers>;
  /** Undefined until it is sent. */
  number: number | undefined;
  /** Its turn has come: no call that anybody waits for is in front of it. */
  begun: boolean;
  /** Nobody waits for it any more, and the handler may answer it all the same. */
  withdrawn: boolean;
}

/**
 * The calls of one handler in their order. The first is the one that it works on, as far as anybody here knows; those behind it have been
 * sent so that no time is lost between two, and share nothing of its fate.
 */
export class CallLine {
  readonly #line: OpenCall[] = [];
  readonly #send: (open: OpenCall) => void;

  /** @param send - gives a call its number, and sends it. */
  constructor(send: (open: OpenCall) => void) {
    this.#send = send;
  }

  /** The one whose answers may come now. */
  get first(): OpenCall | undefined {
    return this.#line[0];
  }

  get logger(): Logger | undefined {
    return this.#line[0]?.call.context.logger;
  }

  /** @param ahead - calls that the handler takes beside the first. */
  add(call: LinkCall, ahead: number): Promise<Answers> {
    const open: OpenCall = {
      call,
      // An image that two tasks name goes once, and both get its answer.
      images: new Map(call.unit.map((image) => [image.id, image])),
      outcomes: new Map(),
      reply: deferred(),
      number: undefined,
      begun: false,
      withdrawn: false,
    };
    if (this.#line.some(({ withdrawn }) => !withdrawn)) call.onQueued();
    this.#line.push(open);
    this.advance(ahead);
    return open.reply.promise;
  }

  /** The first is over. @returns it. */
  shift(): OpenCall | undefined {
    return this.#line.shift();
  }

  /** Sends what the handler takes, and lets the time of the next one begin. */
  advance(ahead: number): void {
    for (const open of this.#line.slice(0, 1 + ahead)) if (open.number === undefined) this.#trySend(open);
    const next = this.#line.find(({ withdrawn }) => !withdrawn);
    if (!next || next.begun) return;
    next.begun = true;
    next.call.onStarted();
  }

  /** One that cannot be written, such as a configuration that is not JSON, must not stand in the way of all that follow. */
  #trySend(open: OpenCall): void {
    try {
      this.#send(open);
    } catch (error) {
      this.#line.splice(this.#line.indexOf(open), 1);
      open.reply.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /**
   * Somebody does not wait for a call any more. One whose turn has not come is over at once, since its handler is busy with another.
   * @returns the call that the handler is to be told of.
   */
  abort(call: LinkCall, kind: AbortKind): OpenCall | undefined {
    const index = this.#line.findIndex((open) => open.call === call);
    const open = this.#line[index];
    if (!open || open.begun) return open;
    open.withdrawn = true;
    open.reply.reject(new HandlerAbortError(kind));
    if (open.number !== undefined) return open;
    this.#line.splice(index, 1);
    return undefined;
  }

  /** The handler leaves, and has not begun with the calls that followed this one. */
  giveBackAfter(last: number): void {
    for (const { number, reply } of this.#line)
      if (number === undefined || number > last) reply.reject(new CallReturnedError());
  }

  /** The handler is gone. What it had not begun with is as it was. @param error - for the others. */
  fail(error: (open: OpenCall) => Error): void {
    for (const open of this.#line.splice(0))
      open.reply.reject(open.begun ? error(open) : new CallReturnedError());
  }
}
