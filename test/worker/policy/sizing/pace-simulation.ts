import { JobPace } from '../../../../src/worker/policy/sizing/job-pace.js';
import { RepeatWindow } from '../../../../src/worker/policy/sizing/repeat-window.js';

/** How a worker of the simulation decides what to take, and what to do with a repeat of what it posted. */
type Rule = 'none' | 'aimd' | 'pace';

export interface SimulationOptions {
  readonly workers: number;
  readonly rule: Rule;
  readonly tasks: number;
  readonly leaseMs: number;
  /** Results that the server saves a second, at a time. */
  readonly savedPerSecond: (nowMs: number) => number;
  /** Tasks that a worker computes a second. */
  readonly computedPerSecond?: number;
  readonly maxDeliveries?: number;
  /** A worker is killed every so often, with all that it holds, and one that knows nothing begins in its place a second later. */
  readonly killEveryMs?: number;
  /** Share of reservations whose answer never arrives: their tasks are out with nobody. */
  readonly lostAnswers?: number;
  /** A save of a task fails: by task and number of the attempt. */
  readonly fails?: (task: number, attempt: number) => boolean;
  readonly random: () => number;
}

export interface SimulationResult {
  readonly reservedPerTask: number;
  readonly computedPerTask: number;
  readonly looks: number;
  readonly maxDeliveries: number;
  /** When the last task was saved. */
  readonly endMs: number;
  /** Tasks computed by each worker. */
  readonly shares: readonly number[];
  /** Tasks that were never saved. */
  readonly lost: number;
  /** When each task was saved, in order. */
  readonly savedAt: readonly number[];
}

interface Task {
  readonly id: number;
  deliveries: number;
  expiresAt: number;
  saved: boolean;
  attempts: number;
}

/** Room of a worker for tasks in hand, if they take no more than a quarter of a lease; and what a request takes. */
const HOLD = 64;
const BATCH = 8;
const LATENCY_MS = 20;
const LINGER_MS = 100;
const END_MS = 7_200_000;

/** A timeline: what happens when. */
class Timeline {
  nowMs = 0;
  readonly #events: { atMs: number; order: number; run: () => void }[] = [];
  #order = 0;

  at(atMs: number, run: () => void): void {
    const event = { atMs, order: this.#order++, run };
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#events[middle];
      if (other && (other.atMs < atMs || (other.atMs === atMs && other.order < event.order)))
        low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, event);
  }

  after(delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run);
  }

  runUntil(isDone: () => boolean): void {
    while (!isDone()) {
      const next = this.#events.shift();
      if (!next || next.atMs > END_MS) return;
      this.nowMs = next.atMs;
      next.run();
    }
  }
}

/** A queue with leases behind a line of results that is saved at a rate: contract T51, and nothing else. */
class SimulatedServer {
  readonly tasks: Task[];
  readonly savedAt: number[] = [];
  deliveries = 0;
  looks = 0;
  saved = 0;
  #fresh = 0;
  readonly #leased: Task[] = [];
  readonly #line: Task[] = [];
  #isSaving = false;

  constructor(
    readonly time: Timeline,
    readonly options: SimulationOptions,
  ) {
    this.tasks = Array.from({ length: options.tasks }, (_, id) => ({
      id,
      deliveries: 0,
      expiresAt: 0,
      saved: false,
      attempts: 0,
    }));
  }

  get undelivered(): number {
    return this.tasks.length - this.#fresh;
  }

  reserve(count: number): { task: Task; delivery: number }[] {
    const taken: Task[] = [];
    const { maxDeliveries = 5 } = this.options;
    while (taken.length < count) {
      const [first] = this.#leased;
      if (first && (first.saved || first.expiresAt <= this.time.nowMs)) {
        this.#leased.shift();
        if (!first.saved && first.deliveries < maxDeliveries) taken.push(first);
        continue;
      }
      const fresh = this.tasks[this.#fresh];
      if (!fresh) break;
      this.#fresh += 1;
      taken.push(fresh);
    }
    for (const task of taken) {
      task.deliveries += 1;
      task.expiresAt = this.time.nowMs + this.options.leaseMs;
      this.#leased.push(task);
      this.deliveries += 1;
    }
    return taken.map((task) => ({ task, delivery: task.deliveries }));
  }

  post(tasks: readonly Task[]): void {
    this.#line.push(...tasks);
    if (!this.#isSaving) this.#saveNext();
  }

  look(): { total: number; saved: number } {
    this.looks += 1;
    return { total: this.tasks.length, saved: this.saved };
  }

  #saveNext(): void {
    this.#isSaving = this.#line.length > 0;
    if (!this.#isSaving) return;
    this.time.after(1000 / this.options.savedPerSecond(this.time.nowMs), () => {
      const task = this.#line.shift();
      if (task) this.#save(task);
      this.#saveNext();
    });
  }

  #save(task: Task): void {
    const isFirst = task.attempts === 0;
    task.attempts += 1;
    // As the server does: the stage `process` counts before it is known whether saving works (contract §5.2).
    if (isFirst) this.saved += 1;
    if (task.saved || this.options.fails?.(task.id, task.attempts)) return;
    task.saved = true;
    this.savedAt.push(this.time.nowMs);
  }
}

class SimulatedWorker {
  computed = 0;
  readonly #server: SimulatedServer;
  readonly #options: SimulationOptions;
  readonly #pace: JobPace;
  readonly #window: RepeatWindow;
  readonly #posted = new Map<number, number | undefined>();
  readonly #held = new Set<number>();
  readonly #queue: { task: Task; leasedAt: number }[] = [];
  #done: { task: Task; leasedAt: number }[] = [];
  #isComputing = false;
  #isLooking = false;
  #empties = 0;
  #isKilled = false;

  constructor(server: SimulatedServer, options: SimulationOptions) {
    this.#server = server;
    this.#options = options;
    this.#pace = new JobPace(() => options.leaseMs);
    this.#window = new RepeatWindow(() => options.leaseMs);
    this.#after(1000 * options.random(), () => {
      this.#turn();
    });
  }

  /** Nothing that it was about to do is done; what it has is out with nobody until the leases end. */
  kill(): void {
    this.#isKilled = true;
  }

  #after(delayMs: number, run: () => void): void {
    this.#server.time.after(delayMs, () => {
      if (!this.#isKilled) run();
    });
  }

  #room(): number {
    const { computedPerSecond = 100, leaseMs } = this.#options;
    const hold = Math.max(BATCH, Math.min(HOLD, (computedPerSecond * leaseMs) / 4_000));
    const missing = hold - this.#held.size;
    if (missing < BATCH / 2) return 0;
    const nowMs = this.#server.time.nowMs;
    if (this.#options.rule === 'pace') return Math.min(missing, this.#pace.room(BATCH, nowMs));
    if (this.#options.rule === 'aimd') return Math.min(missing, this.#window.room(BATCH, nowMs));
    return missing;
  }

  #turn(): void {
    const { time } = this.#server;
    this.#maybeLook();
    const count = this.#room();
    if (count === 0) {
      this.#after(200 + 100 * this.#options.random(), () => {
        this.#turn();
      });
      return;
    }
    const leasedAt = time.nowMs;
    this.#after(LATENCY_MS, () => {
      const answer = this.#server.reserve(count);
      const isLost = this.#options.random() < (this.#options.lostAnswers ?? 0);
      const taken = isLost ? [] : answer;
      this.#empties = taken.length === 0 ? this.#empties + 1 : 0;
      this.#take(taken, leasedAt);
      const waitMs = this.#empties === 0 ? 0 : Math.min(15_000, 1000 * 2 ** (this.#empties - 1));
      this.#after(waitMs, () => {
        this.#turn();
      });
    });
  }

  #take(taken: readonly { task: Task; delivery: number }[], leasedAt: number): void {
    const { nowMs } = this.#server.time;
    if (taken.length > 0) {
      const last = Math.max(...taken.map(({ task }) => task.id));
      const place = { streamSequence: last + 1, undelivered: this.#server.undelivered };
      this.#pace.taken(taken.length, place, BATCH, nowMs);
      this.#window.taken(taken.length, BATCH, nowMs);
    }
    for (const { task, delivery } of taken) {
      if (this.#held.has(task.id)) continue;
      if (delivery > 1) {
        this.#pace.repeat(BATCH, nowMs, this.#posted.has(task.id), task.id + 1);
        this.#window.repeat(BATCH, nowMs);
      }
      if (this.#posted.has(task.id)) this.#again(task, delivery);
      else {
        this.#held.add(task.id);
        this.#queue.push({ task, leasedAt });
      }
    }
    this.#compute();
    this.#maybeLook();
  }

  #again(task: Task, delivery: number): void {
    const isLast = delivery >= (this.#options.maxDeliveries ?? 5);
    const explained = this.#pace.explains(this.#posted.get(task.id), this.#server.time.nowMs);
    if (this.#options.rule === 'pace' && !isLast && explained) return;
    this.#after(LATENCY_MS, () => {
      this.#server.post([task]);
    });
  }

  #compute(): void {
    const next = this.#queue.shift();
    if (this.#isComputing || !next) {
      if (next) this.#queue.unshift(next);
      return;
    }
    this.#isComputing = true;
    const { computedPerSecond = 100 } = this.#options;
    this.#after(1000 / computedPerSecond, () => {
      this.#isComputing = false;
      this.computed += 1;
      this.#done.push(next);
      if (this.#done.length === 1)
        this.#after(LINGER_MS, () => {
          this.#post();
        });
      this.#compute();
    });
  }

  #post(): void {
    const done = this.#done;
    this.#done = [];
    this.#after(LATENCY_MS, () => {
      const { nowMs } = this.#server.time;
      this.#server.post(done.map(({ task }) => task));
      for (const { task, leasedAt } of done) {
        this.#held.delete(task.id);
        this.#posted.set(task.id, this.#pace.delivered);
        this.#pace.accepted(1, nowMs - leasedAt);
      }
      this.#maybeLook();
    });
  }

  #maybeLook(): void {
    const { time } = this.#server;
    const dueAtMs = this.#options.rule === 'pace' ? this.#pace.lookDueAtMs(time.nowMs) : undefined;
    if (this.#isLooking || dueAtMs === undefined || dueAtMs > time.nowMs) return;
    this.#isLooking = true;
    this.#after(LATENCY_MS, () => {
      this.#isLooking = false;
      this.#pace.looked(this.#server.look(), this.#held.size, time.nowMs);
    });
  }
}

/** Runs a job to its end, or for two hours. */
export function simulate(options: SimulationOptions): SimulationResult {
  const server = new SimulatedServer(new Timeline(), options);
  const workers = Array.from({ length: options.workers }, () => new SimulatedWorker(server, options));
  const killed: number[] = workers.map(() => 0);
  const { killEveryMs } = options;
  const killNext = (index: number): void => {
    server.time.after((0.5 + options.random()) * (killEveryMs ?? 0), () => {
      workers[index]?.kill();
      killed[index] = (killed[index] ?? 0) + (workers[index]?.computed ?? 0);
      // It begins within a second.
      workers[index] = new SimulatedWorker(server, options);
      killNext((index + 1) % workers.length);
    });
  };
  if (killEveryMs !== undefined) killNext(0);
  server.time.runUntil(() => server.savedAt.length === options.tasks);
  const computed = workers.map((worker, index) => worker.computed + (killed[index] ?? 0));
  return {
    reservedPerTask: server.deliveries / options.tasks,
    computedPerTask: computed.reduce((sum, count) => sum + count, 0) / options.tasks,
    looks: server.looks,
    maxDeliveries: Math.max(...server.tasks.map(({ deliveries }) => deliveries)),
    endMs: server.savedAt.at(-1) ?? 0,
    shares: computed,
    lost: options.tasks - server.savedAt.length,
    savedAt: server.savedAt,
  };
}
