import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import type { Logger } from '../../../log/logger.js';
import { sleep, type Clock } from '../../../time/clock.js';
import { deferred } from '../deferred.js';
import { HandlerStartError } from '../execution-errors.js';
import type { BatchOutcome } from '../executor.js';
import type { HandlerLink, LinkCall } from '../handler-link.js';
import { cleanLine, credentialsIn, readLines } from '../output-lines.js';
import type { ChildAge } from '../respawn.js';
import type { ControlMessage, WireReady } from '../wire.js';
import type { HandlerReady } from './messages.js';
import { HandlerPeer } from './peer.js';
import { endWithUs, forget, killGroup, OWN_GROUP } from './process-group.js';

/** What a handler's process is started with. */
export interface CommandChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  /** The whole environment, without the worker's credentials. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly onReady: (ready: HandlerReady) => void;
}

/** How many of the last lines on standard error are kept: a traceback of Python's with its error. */
const LAST_LINES = 20;
/** From the end of a stream to the end of the process, and from a process's end to the end of its streams. */
const STREAMS_MS = 1_000;
/** How long a killed process may take to be gone; one that waits for a broken device may never be. */
const KILLED_MS = 5_000;

/** A handler in a process of its own, in any language, spoken to over its standard streams. */
export class CommandChild implements HandlerLink {
  readonly #process: ChildProcess;
  readonly #options: CommandChildOptions;
  readonly #peer: HandlerPeer;
  readonly #ready: Promise<WireReady>;
  readonly #gone = deferred<undefined>();
  readonly #lastLines: string[] = [];
  #alive = true;
  #how: string | undefined;
  #over = false;
  #cancelTimer: () => void = () => undefined;

  constructor(options: CommandChildOptions) {
    this.#options = options;
    const { command, args, cwd, env, logger } = options;
    this.#process = spawn(command, [...args], {
      cwd,
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: OWN_GROUP,
      windowsHide: true,
    });
    endWithUs(this.#process);
    const { stdin, stdout, stderr } = this.#process;
    if (!stdin || !stdout || !stderr) throw new HandlerStartError('the process has no standard streams');
    const secrets = credentialsIn({ ...process.env, ...env });
    this.#peer = new HandlerPeer({
      input: stdout,
      output: stdin,
      logger,
      secrets,
      onBroken: () => {
        this.kill();
      },
      onBye: () => {
        this.#alive = false;
        stdin.end();
      },
    });
    readLines(stderr, (line) => {
      this.#onLine(cleanLine(line, secrets));
    });
    stdin.on('error', () => {
      this.#onStreamEnd('closed its standard input');
    });
    stdout.on('end', () => {
      this.#onStreamEnd('closed its standard output');
    });
    this.#watch();
    this.#ready = this.#whenReady();
    // Whoever waits later still learns of it.
    this.#ready.catch(() => undefined);
  }

  get ready(): Promise<WireReady> {
    return this.#ready;
  }

  get alive(): boolean {
    return this.#alive;
  }

  get age(): ChildAge {
    return this.#peer.age;
  }

  get lastLines(): readonly string[] {
    return this.#lastLines;
  }

  async run({ unit, context, timeoutMs, onStarted }: LinkCall): Promise<readonly BatchOutcome[]> {
    this.#ref(true);
    // From here on: a handler that does not read its images takes too long just as one that computes.
    onStarted();
    try {
      return await this.#peer.run(unit, context, timeoutMs);
    } finally {
      if (this.#alive) this.#ref(false);
    }
  }

  control(message: ControlMessage): void {
    this.#peer.control(message);
  }

  kill(): void {
    this.#ref(true);
    this.#alive = false;
    killGroup(this.#process);
    this.#restartTimer(KILLED_MS, () => {
      this.#end('it was killed, and its process does not end');
    });
  }

  async retire(clock: Clock, graceMs: number): Promise<void> {
    this.#alive = false;
    this.#ref(true);
    this.#peer.send({ type: 'bye', reason: 'the worker has no more work for this process' });
    this.#process.stdin?.end();
    const over = new AbortController();
    const timer = sleep(clock, graceMs, over.signal).then(
      () => {
        this.kill();
      },
      () => undefined,
    );
    await this.#gone.promise;
    over.abort();
    await timer;
  }

  async #whenReady(): Promise<WireReady> {
    const ready = await this.#peer.ready;
    this.#options.onReady(ready);
    const { mode, image_ms, warm_up_ms } = ready;
    this.#options.logger.info({ durationMs: warm_up_ms }, 'a handler process is ready');
    // An idle child must not keep a program alive that has ended in all but name; it ends with its standard input.
    this.#ref(false);
    return { mode, warmMs: image_ms };
  }

  #ref(busy: boolean): void {
    const how = busy ? 'ref' : 'unref';
    this.#process[how]();
    const { stdin, stdout, stderr } = this.#process;
    for (const stream of [stdin, stdout, stderr]) if (stream instanceof Socket) stream[how]();
  }

  #onLine(line: string): void {
    this.#lastLines.push(line);
    if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift();
    this.#options.logger.info({ reason: line }, 'a handler process wrote to standard error');
  }

  #watch(): void {
    this.#process.on('error', (error) => {
      if (this.#process.pid === undefined) this.#end(error.message);
    });
    this.#process.on('exit', (code, signal) => {
      this.#how = signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`;
      // What it started must go as well, and holds its streams open.
      killGroup(this.#process);
      this.#restartTimer(STREAMS_MS, () => {
        this.#end(this.#how);
      });
    });
    // After the last line and the last message.
    this.#process.on('close', () => {
      this.#end(this.#how);
    });
  }

  /** A process that ends closes its streams first; one that lives on without them can never answer. */
  #onStreamEnd(how: string): void {
    if (this.#how !== undefined || !this.#alive) return;
    this.#restartTimer(STREAMS_MS, () => {
      this.#peer.lost(how);
      this.kill();
    });
  }

  #restartTimer(delayMs: number, run: () => void): void {
    this.#cancelTimer();
    if (!this.#over) this.#cancelTimer = this.#options.clock.schedule(delayMs, run);
  }

  #end(how = 'for an unknown reason'): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelTimer();
    const wanted = !this.#alive;
    this.#alive = false;
    forget(this.#process);
    const { stdin, stdout, stderr } = this.#process;
    for (const stream of [stdin, stdout, stderr]) stream?.destroy();
    if (!wanted)
      this.#options.logger.warn({ reason: how, issues: [...this.#lastLines] }, 'a handler process died');
    this.#peer.lost(how);
    this.#gone.resolve(undefined);
  }
}
