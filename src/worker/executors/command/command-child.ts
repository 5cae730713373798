import type { Readable, Writable } from 'node:stream';
import type { Logger } from '../../../log/logger.js';
import { sleep, type Clock } from '../../../time/clock.js';
import { HandlerStartError } from '../execution-errors.js';
import type { BatchOutcome } from '../executor.js';
import type { HandlerLink, LinkCall } from '../handler-link.js';
import { credentialsIn } from '../output-lines.js';
import { ProcessGroup } from '../process-group.js';
import type { ChildAge } from '../respawn.js';
import type { ControlMessage, WireReady } from '../wire.js';
import type { HandlerReady } from './messages.js';
import { HandlerPeer } from './peer.js';

/** What a handler's process is started with. */
export interface CommandChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  /** Added to the worker's, less its credentials. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly onReady: (ready: HandlerReady) => void;
}

/** From the end of a stream to the end of the process, and from a process's end to the end of its streams. */
const STREAMS_MS = 1_000;
/** How long a killed process may take to be gone; one that waits for a broken device may never be. */
const KILLED_MS = 5_000;

/** A handler in a process of its own, in any language, spoken to over its standard streams. */
export class CommandChild implements HandlerLink {
  readonly ready: Promise<WireReady>;
  readonly #group: ProcessGroup;
  readonly #options: CommandChildOptions;
  readonly #peer: HandlerPeer;
  readonly #gone: Promise<unknown>;
  #end: (how: string) => void = () => undefined;
  #alive = true;
  #over = false;
  #calls = 0;
  #cancelTimer: () => void = () => undefined;

  constructor(options: CommandChildOptions) {
    this.#options = options;
    this.#group = new ProcessGroup({ ...options, streams: true, level: 'info' });
    const { stdin, stdout } = this.#group;
    if (!stdin || !stdout) throw new HandlerStartError('the process has no standard streams');
    this.#peer = this.#speak(stdin, stdout);
    const gaveUp = new Promise<string>((resolve) => {
      this.#end = resolve;
    });
    this.#gone = Promise.race([this.#group.closed, gaveUp]).then((how) => {
      this.#onGone(how);
    });
    void this.#group.exited.then((how) => {
      this.#after(STREAMS_MS, () => {
        this.#end(how);
      });
    });
    this.#group.ref(true);
    this.ready = this.#whenReady();
    // Whoever waits later still learns of it.
    this.ready.catch(() => undefined);
  }

  get alive(): boolean {
    return this.#alive;
  }

  get age(): ChildAge {
    return this.#peer.age;
  }

  get lastLines(): readonly string[] {
    return this.#group.lastLines;
  }

  get ahead(): number {
    return this.#peer.ahead;
  }

  /** A call's time begins when it is sent: a handler that does not read its images takes too long just as one that computes. */
  async run(call: LinkCall): Promise<readonly BatchOutcome[]> {
    this.#calls += 1;
    this.#group.ref(true);
    try {
      return await this.#peer.run(call);
    } finally {
      this.#calls -= 1;
      if (this.#alive && this.#calls === 0) this.#group.ref(false);
    }
  }

  control(message: ControlMessage, call?: LinkCall): void {
    this.#peer.control(message, call);
  }

  kill(): void {
    this.#group.ref(true);
    this.#alive = false;
    this.#group.kill();
    this.#after(KILLED_MS, () => {
      this.#end('it was killed, and its process does not end');
    });
  }

  async retire(clock: Clock, graceMs: number): Promise<void> {
    this.#alive = false;
    this.#group.ref(true);
    this.#peer.send({ type: 'bye', reason: 'the worker has no more work for this process' });
    this.#group.stdin?.end();
    const over = new AbortController();
    const timer = sleep(clock, graceMs, over.signal).then(
      () => {
        this.kill();
      },
      () => undefined,
    );
    await this.#gone;
    over.abort();
    await timer;
  }

  #speak(stdin: Writable, stdout: Readable): HandlerPeer {
    const { logger, env } = this.#options;
    stdin.on('error', () => {
      this.#onStreamEnd('closed its standard input');
    });
    stdout.on('end', () => {
      this.#onStreamEnd('closed its standard output');
    });
    return new HandlerPeer({
      input: stdout,
      output: stdin,
      logger,
      secrets: credentialsIn({ ...process.env, ...env }),
      onBroken: () => {
        this.kill();
      },
      onBye: () => {
        this.#alive = false;
        stdin.end();
      },
    });
  }

  async #whenReady(): Promise<WireReady> {
    const ready = await this.#peer.ready;
    const { mode, image_ms, warm_up_ms } = ready;
    this.#options.onReady(ready);
    this.#options.logger.info({ durationMs: warm_up_ms }, 'a handler process is ready');
    this.#group.ref(false);
    return { mode, warmMs: image_ms };
  }

  /** A process that ends closes its streams first; one that lives on without them can never answer. */
  #onStreamEnd(how: string): void {
    if (!this.#group.alive || !this.#alive) return;
    this.#after(STREAMS_MS, () => {
      this.#peer.lost(how);
      this.kill();
    });
  }

  #after(delayMs: number, run: () => void): void {
    this.#cancelTimer();
    if (!this.#over) this.#cancelTimer = this.#options.clock.schedule(delayMs, run);
  }

  #onGone(how: string): void {
    this.#over = true;
    this.#cancelTimer();
    const wanted = !this.#alive;
    this.#alive = false;
    this.#group.destroyStreams();
    if (!wanted)
      this.#options.logger.warn(
        { reason: how, issues: [...this.#group.lastLines] },
        'a handler process died',
      );
    this.#peer.lost(how);
  }
}
