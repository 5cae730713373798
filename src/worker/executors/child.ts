import { fork, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import type { Logger } from '../../log/logger.js';
import { sleep, type Clock } from '../../time/clock.js';
import { deferred, type Deferred } from './joined-signal.js';
import { HandlerCrashError, HandlerStartError } from './execution-errors.js';
import type { BatchOutcome } from './executor.js';
import type { HandlerLink, LinkCall } from './handler-link.js';
import type { FromChild, ToChild } from './executor-child.js';
import { cleanLine, credentialsIn, readLines, withoutCredentials } from './output-lines.js';
import { fromWireReply, toWireUnit, type ControlMessage, type WireReady, type WireReply } from './wire.js';

/** What a child process is started with. */
export interface ChildOptions {
  /** The file that the process runs. */
  readonly entry: string;
  readonly module: string;
  readonly execArgv?: readonly string[] | undefined;
  /** Variables added to those of this process, less the worker's credentials. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly logger: Logger;
}

/** How many of the last lines on standard error are logged when a process dies. */
const LAST_LINES = 10;

/** A call that runs in the child. */
interface Call {
  readonly reply: Deferred<WireReply>;
  readonly onStarted: () => void;
  readonly logger: Logger;
}

/** One child process with a handler in it: it is started, warmed, called one unit at a time, and ended. */
export class HandlerChild implements HandlerLink {
  readonly #process: ChildProcess;
  readonly #logger: Logger;
  readonly #ready = deferred<WireReady>();
  readonly #exited = deferred<undefined>();
  readonly #lastLines: string[] = [];
  #call: Call | undefined;
  #callFresh = true;
  #batches = 0;
  #rssBytes = 0;
  #alive = true;

  constructor(options: ChildOptions) {
    const { entry, module, execArgv, env, logger } = options;
    this.#logger = logger;
    this.#process = fork(entry, [module], {
      // JSON would turn every image into a list of numbers.
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...withoutCredentials(process.env), ...env },
      ...(execArgv ? { execArgv: [...execArgv] } : {}),
    });
    this.#listen(credentialsIn({ ...process.env, ...env }));
  }

  get ready(): Promise<WireReady> {
    return this.#ready.promise;
  }

  get alive(): boolean {
    return this.#alive;
  }

  get age(): { readonly batches: number; readonly rssBytes: number } {
    return { batches: this.#batches, rssBytes: this.#rssBytes };
  }

  get lastLines(): readonly string[] {
    return this.#lastLines;
  }

  async run({ unit, context, onStarted }: LinkCall): Promise<readonly BatchOutcome[]> {
    await this.ready;
    this.#ref(true);
    const reply = deferred<WireReply>();
    this.#call = { reply, onStarted, logger: context.logger };
    this.#callFresh = this.#batches === 0;
    this.#batches += 1;
    this.#send({ type: 'unit', unit: toWireUnit(unit, context) });
    try {
      return fromWireReply(await reply.promise);
    } finally {
      this.#call = undefined;
      this.#ref(false);
    }
  }

  control(message: ControlMessage): void {
    this.#send(message);
  }

  kill(): void {
    this.#ref(true);
    this.#alive = false;
    this.#process.kill('SIGKILL');
  }

  async retire(clock: Clock, graceMs: number): Promise<void> {
    this.#alive = false;
    this.#ref(true);
    if (this.#process.connected) this.#process.disconnect();
    const over = new AbortController();
    const timer = sleep(clock, graceMs, over.signal).then(
      () => {
        this.#process.kill('SIGKILL');
      },
      () => undefined,
    );
    await this.#exited.promise;
    over.abort();
    await timer;
  }

  /** An idle child must not keep a program alive that has ended in all but name; the child ends with it. */
  #ref(busy: boolean): void {
    const how = busy ? 'ref' : 'unref';
    const { channel, stdout, stderr } = this.#process;
    this.#process[how]();
    channel?.[how]();
    for (const stream of [stdout, stderr]) if (stream instanceof Socket) stream[how]();
  }

  #send(message: ToChild): void {
    if (!this.#process.connected) return;
    // A child that died between the check and the write is told by `exit`.
    this.#process.send(message, () => undefined);
  }

  #listen(secrets: readonly string[]): void {
    this.#process.on('message', (message) => {
      this.#onMessage(message as FromChild);
    });
    this.#process.on('exit', (code, signal) => {
      this.#onEnd(signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`);
    });
    this.#process.on('error', (error) => {
      if (this.#process.pid === undefined) this.#onEnd(error.message);
    });
    const { stdout, stderr } = this.#process;
    if (stdout)
      readLines(stdout, (line) => {
        this.#logger.debug(
          { reason: cleanLine(line, secrets) },
          'a handler process wrote to standard output',
        );
      });
    if (stderr)
      readLines(stderr, (line) => {
        const clean = cleanLine(line, secrets);
        this.#lastLines.push(clean);
        if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift();
        this.#logger.info({ reason: clean }, 'a handler process wrote to standard error');
      });
  }

  #onMessage(message: FromChild): void {
    switch (message.type) {
      case 'ready':
        this.#ready.resolve(message.ready);
        this.#ref(false);
        break;
      case 'start-failed':
        this.#ready.reject(new HandlerStartError(`the handler cannot be loaded: ${message.error.message}`));
        this.kill();
        break;
      case 'started':
        this.#call?.onStarted();
        break;
      case 'log':
        (this.#call?.logger ?? this.#logger)[message.level](message.fields, message.message);
        break;
      case 'reply':
        this.#rssBytes = message.rssBytes;
        this.#call?.reply.resolve(message.reply);
        break;
      case 'ended':
        break;
    }
  }

  #onEnd(how: string): void {
    const wanted = !this.#alive;
    this.#alive = false;
    this.#ready.reject(new HandlerStartError(`the handler's process ended at its start: ${how}`));
    // The text of an error may end in the job's public log, so what the process printed is not part of it.
    this.#call?.reply.reject(
      new HandlerCrashError(`the handler's process died: ${how}`, { fresh: this.#callFresh }),
    );
    if (!wanted) this.#logger.warn({ reason: how, issues: [...this.#lastLines] }, 'a handler process died');
    this.#exited.resolve(undefined);
  }
}
