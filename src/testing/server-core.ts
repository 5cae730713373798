import { Antenna } from './antenna.js';
import { JobHandle } from './build/job.js';
import { assertKind, assertOptions } from './check.js';
import { addProject } from './build/project.js';
import type { ProjectHandle, ProjectOptions } from './build/project.js';
import { addUser } from './build/user.js';
import type { UserHandle, UserOptions } from './build/user.js';
import { FaultChain } from './faults/chain.js';
import type { FaultHandle } from './faults/chain.js';
import { Faults } from './faults/faults.js';
import { answerOf, assertAnswer } from './faults/http-faults.js';
import type { AnswerOptions } from './faults/http-faults.js';
import type { Scope } from './faults/scope.js';
import { reapIdleJobs } from './jobs/reaper.js';
import type { SaveLine } from './jobs/save-line.js';
import type { RequestRecord, Reply } from './messages.js';
import { createRandom } from './random.js';
import { resolveSettings } from './options.js';
import type { ContractServerOptions, Dialect, Settings } from './options.js';
import { RequestLog } from './request-log.js';
import type { LoggedRequest } from './request-log.js';
import { routesOf } from './routes/index.js';
import { idleClock, machineClock } from './time/clock.js';
import type { Clock } from './time/clock.js';
import type { TestClock } from './time/test-clock.js';
import { createFetch } from './transport/fetch.js';
import type { FetchLike } from './transport/fetch.js';
import { listen } from './transport/listen.js';
import type { ListenOptions, Listener } from './transport/listen.js';
import { page } from './wire/respond.js';
import { dispatch } from './wire/router.js';
import type { Route } from './wire/call.js';

/** The server's clock, with the means to move it when it is a {@link TestClock}. */
export interface ServerClock extends Clock {
  /** Scheduled calls that have not happened; of the machine's clock always 0. */
  readonly pending: number;
  /**
   * Moves a test clock forward; everything that falls due happens, in order.
   * @throws TypeError when the server runs on the machine's clock.
   */
  advance(ms: number): Promise<void>;
}

/** The part of the line of results that tests may touch; see {@link SavingOptions}. */
export type SavingControl = Pick<SaveLine, 'perSecond' | 'lostUpdates' | 'backlog'>;

/** All of a contract server but what needs msw, so that `antenna serve` and `antenna predict` work where that is not installed. */
export class ContractServerCore {
  /** A `fetch` that is answered by this server and never touches the network. */
  readonly fetch: FetchLike;
  readonly clock: ServerClock;
  /** What goes wrong on purpose. */
  readonly faults: Faults;
  readonly #settings: Settings;
  readonly #routes: readonly Route[];
  readonly #requests: RequestLog;
  readonly #listeners = new Set<Listener>();
  readonly #chain: FaultChain;
  #antenna: Antenna;
  #cancelReaper: () => void = () => undefined;

  constructor(options: ContractServerOptions) {
    this.#settings = resolveSettings(options);
    this.#routes = routesOf(this.#settings.dialect);
    this.#requests = new RequestLog(this.#settings.requestLimit);
    this.#antenna = new Antenna(this.#settings);
    // A source of its own, so that faults do not change the ids and orders a seed gives.
    this.#chain = new FaultChain(createRandom(this.#settings.seed + 1));
    this.faults = new Faults(this.#chain, this.#settings.clock, () => this.#antenna);
    this.clock = serverClock(this.#settings.clock);
    this.fetch = createFetch(
      (request) => this.exchange(request),
      (origin) => this.#answersTo(origin),
    );
    this.#scheduleReaper();
  }

  get dialect(): Dialect {
    return this.#settings.dialect;
  }

  /**
   * Base URL for a client: of the newest socket while the server listens, otherwise the option `baseUrl`. `.fetch` answers both,
   * `.handlers` the option only.
   */
  get baseUrl(): string {
    return [...this.#listeners].at(-1)?.url ?? this.#settings.baseUrl;
  }

  /** How results are saved: read it, or change it in the middle of a run. `reset()` goes back to the option. */
  get saving(): SavingControl {
    return this.#antenna.saving;
  }

  /** The newest requests, oldest first; credentials are redacted. */
  get requests(): readonly LoggedRequest[] {
    return this.#requests.toArray();
  }

  /** Adds a user account. */
  user(options: UserOptions = {}): UserHandle {
    return addUser(this.#antenna, options);
  }

  /** Adds a project. */
  project(options: ProjectOptions = {}): ProjectHandle {
    return addProject(this.#antenna, options);
  }

  /**
   * Replaces answers, by default one: the next that the scope matches. A function sees the request and returns the answer.
   * @example server.use({ route: 'tasks' }, { status: 200, body: { tasks: [] } })
   */
  use(scope: Scope, answer: AnswerOptions | ((request: RequestRecord) => AnswerOptions)): FaultHandle {
    assertOptions('use', scope, {}, { loose: true });
    if (typeof answer !== 'function') assertAnswer(answer);
    return this.#chain.add({ times: 1, ...scope }, async (request) =>
      answerOf(typeof answer === 'function' ? answer(request) : answer),
    );
  }

  /** A job by id, for one that was created through the API; undefined if there is none. */
  job(id: number): JobHandle | undefined {
    assertKind('id', id, 'number');
    const row = this.#antenna.store.jobs.get(id);
    return row && new JobHandle(this.#antenna, row);
  }

  /** Every job, oldest first. */
  get jobs(): readonly JobHandle[] {
    const { jobs } = this.#antenna.store;
    return jobs.all().map((row) => new JobHandle(this.#antenna, row));
  }

  /** Serves on a real socket; several at once are fine. */
  async listen(options: ListenOptions = {}): Promise<Listener> {
    const listener = await listen((request) => this.exchange(request), options);
    this.#listeners.add(listener);
    return {
      ...listener,
      close: async () => {
        this.#listeners.delete(listener);
        await listener.close();
      },
    };
  }

  /** Closes every listener and stops the reaper's schedule. */
  async close(): Promise<void> {
    this.#cancelReaper();
    const open = [...this.#listeners];
    this.#listeners.clear();
    await Promise.all(open.map((listener) => listener.close()));
  }

  /** Forgets all state, requests and faults; handles made before are worthless. Listeners stay open. */
  reset(): void {
    this.#antenna.background.clear();
    this.#antenna.saving.clear();
    this.#chain.clear();
    this.#antenna = new Antenna(this.#settings);
    this.#requests.clear();
  }

  /** Runs all background work to its end now, due or not. */
  settle(): void {
    this.#antenna.background.runAll();
    this.#antenna.saving.runAll();
  }

  /** Runs the reaper once, whether or not it is scheduled. @returns ids of the jobs it ended. */
  reap(): number[] {
    return reapIdleJobs(this.#antenna);
  }

  /** Answers one request; what every way to the server comes to. */
  async exchange(request: RequestRecord): Promise<Reply> {
    const at = this.clock.wallNow();
    const reply = this.#dated(await this.#chain.run(request, (passed) => this.#handle(passed)));
    const response = reply.kind === 'answer' || reply.kind === 'partial' ? reply.response : null;
    this.#requests.add(at, request, response);
    return reply;
  }

  async #handle(request: RequestRecord): Promise<Reply> {
    const antenna = this.#antenna;
    try {
      const response = await dispatch(antenna, this.#routes, request);
      antenna.background.runDue();
      return { kind: 'answer', response };
    } catch (error) {
      // A mistake of this server must not look like one of the real server's 500s.
      const text = `Please report this: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
      return { kind: 'answer', response: page(500, 'The contract server failed', text) };
    }
  }

  /** As gunicorn does, by this server's own clock: a socket's answer would have the machine's. */
  #dated(reply: Reply): Reply {
    if (reply.kind !== 'answer' && reply.kind !== 'partial') return reply;
    const date = new Date(this.clock.wallNow()).toUTCString();
    const { response } = reply;
    return { ...reply, response: { ...response, headers: { date, ...response.headers } } };
  }

  #answersTo(origin: string): boolean {
    if (origin === new URL(this.#settings.baseUrl).origin) return true;
    return [...this.#listeners].some((listener) => listener.origin === origin);
  }

  #scheduleReaper(): void {
    const { reaper, reapEveryMs, clock } = this.#settings;
    if (!reaper) return;
    const schedule = clock === machineClock ? idleClock : clock;
    this.#cancelReaper = schedule.schedule(reapEveryMs, () => {
      this.reap();
      this.#scheduleReaper();
    });
  }
}

function serverClock(clock: Clock): ServerClock {
  return {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    schedule: (delayMs, run) => clock.schedule(delayMs, run),
    get pending() {
      return 'pending' in clock ? (clock as TestClock).pending : 0;
    },
    async advance(ms) {
      if (!('advance' in clock)) {
        throw new TypeError(
          'Only a test clock can be moved: pass { clock: createTestClock() } to createContractServer.',
        );
      }
      await (clock as TestClock).advance(ms);
    },
  };
}
