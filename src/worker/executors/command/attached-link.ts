import type { Socket } from 'node:net';
import type { Logger } from '../../../log/logger.js';
import type { Clock } from '../../../time/clock.js';
import type { BatchOutcome } from '../executor.js';
import { CallReturnedError } from '../execution-errors.js';
import type { HandlerLink, LinkCall } from '../handler-link.js';
import type { ChildAge } from '../respawn.js';
import type { ControlMessage, WireReady } from '../wire.js';
import type { HandlerReady } from './messages.js';
import { HandlerPeer, type PeerOptions } from './peer.js';

/** What a connection is taken with. */
export interface AttachedLinkOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly secrets: readonly string[];
  readonly admit: PeerOptions['admit'];
  readonly onGone: () => void;
}

/** How long a goodbye may take to leave. */
const FLUSH_MS = 1_000;

/** A handler in a process that is not ours, such as a notebook: it comes and goes as it likes, and we end no more than the connection. */
export class AttachedLink implements HandlerLink {
  readonly lastLines: readonly string[] = [];
  readonly #socket: Socket;
  readonly #peer: HandlerPeer;
  readonly #onGone: () => void;
  readonly #clock: Clock;
  #cancelTimer: () => void = () => undefined;
  #alive = true;

  constructor(socket: Socket, { logger, clock, secrets, admit, onGone }: AttachedLinkOptions) {
    this.#socket = socket;
    this.#onGone = onGone;
    this.#clock = clock;
    this.#peer = new HandlerPeer({
      input: socket,
      output: socket,
      logger,
      secrets,
      admit,
      onBroken: () => {
        this.#end();
      },
      onBye: (reason) => {
        this.leave(reason);
      },
    });
    socket.on('close', () => {
      this.#peer.lost('its connection was lost');
      this.#end();
      this.#cancelTimer();
    });
  }

  get description(): Promise<HandlerReady> {
    return this.#peer.ready;
  }

  get ready(): Promise<WireReady> {
    return this.#peer.ready.then(({ mode, image_ms }) => ({ mode, warmMs: image_ms }));
  }

  get alive(): boolean {
    return this.#alive;
  }

  get age(): ChildAge {
    return this.#peer.age;
  }

  get ahead(): number {
    return this.#peer.ahead;
  }

  run(call: LinkCall): Promise<readonly BatchOutcome[]> {
    return this.#peer.run(call);
  }

  control(message: ControlMessage, call?: LinkCall): void {
    this.#peer.control(message, call);
  }

  /** The person's program goes on; it has lost this worker, and may attach again. */
  kill(): void {
    this.#peer.lost('it was given up');
    this.#end();
  }

  async retire(): Promise<void> {
    this.leave('the worker ends');
  }

  /** A goodbye from either side: what it had in hand is given back. */
  leave(reason: string): void {
    this.#peer.send({ type: 'bye', reason });
    this.#peer.lost(reason, new CallReturnedError(reason));
    this.#end();
  }

  #end(): void {
    if (!this.#alive) return;
    this.#alive = false;
    // The goodbye is on its way, behind images perhaps that nobody reads any more.
    this.#cancelTimer = this.#clock.schedule(FLUSH_MS, () => {
      this.#socket.destroy();
    });
    this.#socket.destroySoon();
    this.#onGone();
  }
}
