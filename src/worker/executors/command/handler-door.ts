import { timingSafeEqual } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from '../../../log/logger.js';
import type { Clock } from '../../../time/clock.js';
import { abortReason } from '../joined-signal.js';
import { HandlerStartError } from '../execution-errors.js';
import { AttachedLink } from './attached-link.js';
import { checkedToken, openServer, type ListenAddress } from './listening.js';
import type { HandlerReady } from './messages.js';

/** What a door is made of. */
export interface HandlerDoorOptions {
  readonly listen: ListenAddress;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly onReady: (ready: HandlerReady) => void;
}

/** How long a connection may take to say who it is. */
const HELLO_MS = 10_000;
/** Connections that have not said so yet, at most. */
const MAX_STRANGERS = 16;

/** Where handlers come in: one works at a time, and the one that came last is it. */
export class HandlerDoor {
  readonly #options: HandlerDoorOptions;
  readonly #token: string | undefined;
  readonly #strangers = new Set<AttachedLink>();
  readonly #waiting = new Set<(link: AttachedLink) => void>();
  #current: AttachedLink | undefined;
  #opening: Promise<string> | undefined;
  #server: Server | undefined;
  #clean: () => Promise<void> = () => Promise.resolve();
  #closed = false;

  /** @throws AntennaConfigError */
  constructor(options: HandlerDoorOptions) {
    this.#options = options;
    this.#token = checkedToken(options.listen);
  }

  /** What a handler over loopback must know. */
  revealToken(): string | undefined {
    return this.#token;
  }

  /** Whether a handler is there. */
  get attached(): boolean {
    return this.#current?.alive === true;
  }

  /** Calls that may be made at the same time. */
  get room(): number {
    return 1 + (this.#current?.alive ? this.#current.ahead : 0);
  }

  /** Begins to listen, once. @returns where. @throws HandlerStartError */
  open(): Promise<string> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /**
   * The handler that works, or the next one that comes.
   * @throws HandlerAbortError when the signal aborts before.
   */
  async handler(signal: AbortSignal): Promise<AttachedLink> {
    const address = await this.open();
    if (signal.aborted) throw abortReason(signal);
    if (this.#current?.alive) return this.#current;
    this.#options.logger.info({ path: address }, 'waiting for a handler to attach');
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.delete(onLink);
        reject(abortReason(signal));
      };
      const onLink = (link: AttachedLink): void => {
        signal.removeEventListener('abort', onAbort);
        resolve(link);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(onLink);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#opening?.catch(() => undefined);
    for (const link of [...this.#strangers, this.#current]) link?.leave('the worker ends');
    const server = this.#server;
    if (server) await new Promise((resolve) => server.close(resolve));
    await this.#clean();
  }

  async #open(): Promise<string> {
    const server = createServer((socket) => {
      this.#onConnection(socket);
    });
    server.maxConnections = MAX_STRANGERS + 1;
    try {
      const { address, clean } = await openServer(server, this.#options.listen);
      this.#server = server;
      this.#clean = clean;
      server.on('error', (error) => {
        this.#options.logger.warn({ error }, 'the socket for handlers failed');
      });
      return address;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new HandlerStartError(`cannot wait for a handler: ${why}`, { cause: error });
    }
  }

  #onConnection(socket: Socket): void {
    if (this.#closed) {
      socket.destroy();
      return;
    }
    const { logger, clock, onReady } = this.#options;
    const link: AttachedLink = new AttachedLink(socket, {
      logger,
      clock,
      secrets: this.#token === undefined ? [] : [this.#token],
      admit: ({ token = '' }) => {
        if (!this.#fits(token))
          return 'the token is missing or wrong: give attach() the token of this worker';
        this.#strangers.delete(link);
        cancelHello();
        return undefined;
      },
      onGone: () => {
        this.#strangers.delete(link);
        cancelHello();
        if (this.#current === link) this.#current = undefined;
      },
    });
    this.#strangers.add(link);
    const cancelHello = clock.schedule(HELLO_MS, () => {
      link.kill();
    });
    link.description.then(
      (ready) => {
        if (!link.alive) return;
        this.#current?.leave('another handler took its place');
        this.#current = link;
        logger.info({}, 'a handler attached');
        onReady(ready);
        for (const take of this.#waiting) take(link);
        this.#waiting.clear();
      },
      () => undefined,
    );
  }

  #fits(given: string): boolean {
    if (this.#token === undefined) return true;
    const [a, b] = [Buffer.from(given), Buffer.from(this.#token)];
    return a.length === b.length && timingSafeEqual(a, b);
  }
}
