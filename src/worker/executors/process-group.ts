import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { Logger } from '../../log/logger.js';
import { spawnStyle, treeKill, type TreeKill } from '../../system/process-tree.js';
import { isBatchFile, startHint } from '../../system/start-hint.js';
import { sleep, type Clock } from '../../time/clock.js';
import { HandlerStartError } from './execution-errors.js';
import { deferred } from './joined-signal.js';
import { cleanLine, credentialsIn, readLines, withoutCredentials } from './output-lines.js';

/** What to start, and how. */
export interface ProcessGroupOptions {
  readonly command: string;
  readonly args?: readonly string[] | undefined;
  readonly cwd?: string | undefined;
  /** Variables added to those of this process, less the worker's credentials. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly logger: Logger;
  /** Gives its standard input and output to the caller, who speaks with it. Default: no input, and the output is logged as lines. */
  readonly streams?: boolean | undefined;
  /** Level at which lines are logged. Default `debug`. */
  readonly level?: 'debug' | 'info' | undefined;
  /** Default: this machine's. */
  readonly platform?: NodeJS.Platform | undefined;
}

/** How many of the last lines that a process printed are kept for its obituary: a traceback of Python's with its error. */
const LAST_LINES = 20;
/** How long an exit waits for the end of a tree of processes. */
const EXIT_KILL_MS = 2_000;
/** Ends a process group once its standard input ends, which is when this process is gone, killed or not. */
const GUARD = 'read -r _; kill -s KILL -- "-$1"';

const alive = new Set<ProcessGroup>();
let hooked = false;

/**
 * A child process that leads a process group of its own, so that whatever it starts ends with it, and the terminal's Ctrl-C reaches the
 * worker alone. It never outlives this process: an exit ends it, and a small shell ends it when this process was killed.
 *
 * Windows has no groups. There a kill ends the tree below the process, asking it to end is not possible, and what it has started outlives
 * it when it ends by itself, or with a killed worker.
 */
export class ProcessGroup {
  /** How it ended, in words; resolves and never rejects. */
  readonly exited: Promise<string>;
  /** The same once its streams have ended as well, so that its last lines and all that it said are here. */
  readonly closed: Promise<string>;
  readonly #child: ChildProcess;
  readonly #guard: ChildProcess | undefined;
  readonly #platform: NodeJS.Platform;
  readonly #lastLines: string[] = [];
  #alive = true;

  /** @throws HandlerStartError for what cannot be started on this platform. */
  constructor(options: ProcessGroupOptions) {
    const { command, args = [], cwd, env, streams = false, platform = process.platform } = options;
    this.#platform = platform;
    if (platform === 'win32' && isBatchFile(command))
      throw new HandlerStartError(`${command} cannot be started${startHint(command, platform)}`);
    this.#child = spawn(command, [...args], {
      cwd,
      env: { ...withoutCredentials(process.env), ...env },
      ...spawnStyle(platform),
      stdio: [streams ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    });
    const ended = deferred<string>();
    const closed = deferred<undefined>();
    this.exited = ended.promise;
    this.closed = Promise.all([ended.promise, closed.promise]).then(([how]) => how);
    this.#child.on('exit', (code, signal) => {
      this.#over();
      ended.resolve(signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`);
    });
    this.#child.on('error', (error) => {
      if (this.#child.pid !== undefined) return;
      this.#over();
      ended.resolve(`${error.message}${startHint(command, platform)}`);
      closed.resolve(undefined);
    });
    this.#child.on('close', () => {
      closed.resolve(undefined);
    });
    this.#guard = this.#watch();
    this.ref(false);
    for (const name of streams ? (['stderr'] as const) : (['stdout', 'stderr'] as const))
      this.#read(name, options);
    if (this.#alive) alive.add(this);
    if (!hooked) {
      hooked = true;
      process.on('exit', () => {
        for (const group of alive) group.#killAtExit();
      });
    }
  }

  get alive(): boolean {
    return this.#alive;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** With the option `streams`. */
  get stdin(): Writable | null {
    return this.#child.stdin;
  }

  /** With the option `streams`. */
  get stdout(): Readable | null {
    return this.#child.stdout;
  }

  /** The last lines that it printed, fit to be logged. */
  get lastLines(): readonly string[] {
    return this.#lastLines;
  }

  /** Whether it keeps this program alive. Not at first: an idle child must not, once the program has ended in all but name. */
  ref(busy: boolean): void {
    const how = busy ? 'ref' : 'unref';
    this.#child[how]();
    const { stdin, stdout, stderr } = this.#child;
    for (const stream of [stdin, stdout, stderr]) if (stream instanceof Socket) stream[how]();
  }

  /** Gives up its streams, which something that left the group may hold open. */
  destroyStreams(): void {
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) stream?.destroy();
  }

  /** Ends the whole group now. */
  kill(): void {
    const tree = this.#tree();
    if (!tree) {
      this.#signal('SIGKILL');
      return;
    }
    execFile(tree.command, [...tree.args], { windowsHide: true }, (error) => {
      if (error && this.#alive) this.#child.kill('SIGKILL');
    });
  }

  /** Asks it to end, and ends it if it has not after the grace; on Windows, where it cannot be asked, at once. */
  async end(clock: Clock, graceMs: number): Promise<void> {
    if (!this.#alive) return;
    if (this.#platform === 'win32') this.kill();
    else this.#signal('SIGTERM');
    const over = new AbortController();
    const timer = sleep(clock, graceMs, over.signal).then(
      () => {
        this.kill();
      },
      () => undefined,
    );
    await this.exited;
    over.abort();
    await timer;
  }

  /** At an exit nothing is waited for but what is synchronous. */
  #killAtExit(): void {
    const tree = this.#tree();
    if (tree) spawnSync(tree.command, tree.args, { windowsHide: true, timeout: EXIT_KILL_MS });
    this.#signal('SIGKILL');
  }

  /** What ends the tree where there is no group. Of a process that is gone Windows knows no tree. */
  #tree(): TreeKill | undefined {
    const { pid } = this.#child;
    if (this.#platform !== 'win32' || pid === undefined || !this.#alive) return undefined;
    return treeKill(pid, process.env);
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    if (this.#platform === 'win32') {
      if (this.#alive) this.#child.kill(signal);
      return;
    }
    try {
      process.kill(-pid, signal);
    } catch {
      // Nobody is left, or the system has no groups.
      if (this.#alive) this.#child.kill(signal);
    }
  }

  #over(): void {
    if (!this.#alive) return;
    this.#alive = false;
    alive.delete(this);
    // What it started is of no use without it.
    this.kill();
    this.#guard?.kill('SIGKILL');
  }

  #watch(): ChildProcess | undefined {
    const { pid } = this.#child;
    if (pid === undefined || this.#platform === 'win32') return undefined;
    const guard = spawn('/bin/sh', ['-c', GUARD, 'sh', String(pid)], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {},
    });
    guard.on('error', () => undefined);
    guard.stdin.on('error', () => undefined);
    guard.unref();
    if (guard.stdin instanceof Socket) guard.stdin.unref();
    return guard;
  }

  #read(name: 'stdout' | 'stderr', { logger, env, level = 'debug' }: ProcessGroupOptions): void {
    const stream = this.#child[name];
    const secrets = credentialsIn({ ...process.env, ...env });
    if (!stream) return;
    readLines(stream, (line) => {
      const clean = cleanLine(line, secrets);
      this.#lastLines.push(clean);
      if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift();
      logger[level]({ reason: clean }, 'a child process printed');
    });
  }
}
