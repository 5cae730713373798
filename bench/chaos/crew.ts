import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { WorkerOrders } from './worker-log.js';

/** How soon a supervisor starts a worker again that was killed, and one that gave up. */
const RESTART_MS = 200;
const RESTART_FAILED_MS = 1_000;
/** A worker that was told to stop ends within its grace period of 25 s and a little. */
const STOP_LIMIT_MS = 40_000;

/** A worker: one name, one spool directory, one process after the other. */
interface Member {
  readonly name: string;
  readonly orders: WorkerOrders;
  child: ChildProcess | undefined;
  restart: NodeJS.Timeout | undefined;
}

/** What became of the processes. */
export interface CrewReport {
  readonly starts: number;
  readonly kills: number;
  /** Exit codes of processes that ended by themselves before they were told to. */
  readonly gaveUp: readonly (number | null)[];
  /** Exit codes after the stop at the end, by worker; undefined for one that had to be killed. */
  readonly stopped: Readonly<Record<string, number | null | undefined>>;
}

/** Starts workers, kills them, starts them again, and stops them in the end, as an orchestrator would. */
export class Crew {
  readonly #program: string;
  readonly #members: readonly Member[];
  readonly #killed = new Set<ChildProcess>();
  readonly #gaveUp: (number | null)[] = [];
  readonly #stopped: Record<string, number | null | undefined> = {};
  #starts = 0;
  #ending = false;

  /** @param orders - by the workers' names. */
  constructor(program: string, orders: Readonly<Record<string, WorkerOrders>>) {
    this.#program = program;
    this.#members = Object.entries(orders).map(([name, own]) => ({
      name,
      orders: own,
      child: undefined,
      restart: undefined,
    }));
  }

  get report(): CrewReport {
    return {
      starts: this.#starts,
      kills: this.#killed.size,
      gaveUp: [...this.#gaveUp],
      stopped: { ...this.#stopped },
    };
  }

  start(): void {
    for (const member of this.#members) this.#start(member);
  }

  /** Kills one worker without a warning; any but the first. @param draw - in [0, 1). @returns whether one was running. */
  killOne(draw: number): boolean {
    const victims = this.#members.slice(1).filter(({ child }) => child !== undefined);
    const child = victims[Math.floor(draw * victims.length)]?.child;
    if (!child) return false;
    this.#killed.add(child);
    child.kill('SIGKILL');
    return true;
  }

  /** Asks all to stop, and waits until they have. */
  async stop(): Promise<void> {
    this.#ending = true;
    await Promise.all(this.#members.map((member) => this.#stop(member)));
  }

  /** Leaves no process behind, whatever happened. */
  dispose(): void {
    this.#ending = true;
    for (const { child, restart } of this.#members) {
      clearTimeout(restart);
      child?.kill('SIGKILL');
    }
  }

  #start(member: Member): void {
    const errors = openSync(`${member.orders.logFile}.stderr`, 'a');
    const child = spawn(process.execPath, [this.#program], {
      env: {
        ...withoutAntenna(process.env),
        CHAOS_ORDERS: JSON.stringify(member.orders),
        POD_NAME: member.name,
      },
      // Standard input carries nothing; that it closes tells a worker that the runner is gone.
      stdio: ['pipe', errors, errors],
    });
    closeSync(errors);
    this.#starts += 1;
    member.child = child;
    child.once('exit', (code) => {
      member.child = undefined;
      if (this.#ending) return;
      const killed = this.#killed.has(child);
      if (!killed) this.#gaveUp.push(code);
      member.restart = setTimeout(
        () => {
          this.#start(member);
        },
        killed ? RESTART_MS : RESTART_FAILED_MS,
      );
    });
  }

  async #stop(member: Member): Promise<void> {
    clearTimeout(member.restart);
    const { child } = member;
    if (!child) return;
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const late = delay(STOP_LIMIT_MS, undefined, { ref: false });
    this.#stopped[member.name] = await Promise.race([ended, late]);
  }
}

/** The settings of whoever runs this are not the workers'. */
function withoutAntenna(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(?:AMI_)?ANTENNA_|^NODE_OPTIONS$|^VITEST/.test(name)),
  );
}
