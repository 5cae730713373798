import { postBackoffMs } from '../backoff.js';

/** Where something fails or stalls. Reserving and posting fail by job, downloading by the images' host, handlers by pipeline. */
export type TroubleStage = 'reserve' | 'download' | 'handler' | 'post';

/** Something that fails or does not end, seen from outside. */
export interface Trouble {
  readonly stage: TroubleStage;
  /** Id of the job, host of the images, or slug of the pipeline. */
  readonly subject: string;
  /** Failures since it last went well. 0: it never failed, it does not end. */
  readonly failures: number;
  /** For how long it has not gone well. */
  readonly sinceMs: number;
  /** In words, with the jobs that suffer. */
  readonly text: string;
}

/** Failures after which one more says something about its subject and not about chance. */
const SUSPECT_FAILURES = 3;
/** From then on it is told: a hiccup is nobody's business. */
const DECLARED_AFTER_MS = 10_000;
/** What nobody has tried for so long is no trouble any more: its job has ended. */
const FORGOTTEN_AFTER_MS = 600_000;
/** Subjects in trouble that are kept, and jobs named for each: texts and labels stay bounded. */
const MAX_CASES = 500;
const MAX_JOBS = 5;

interface Case {
  readonly stage: TroubleStage;
  readonly subject: string;
  readonly jobs: Set<number>;
  failures: number;
  /** On the monotonic clock. */
  since: number;
  /** It does not end now, and it did not at some time since it last went well. */
  hangs: boolean;
  hung: boolean;
  /** When something was last seen of it. */
  seenAt: number;
  detail: string;
  retryAt: number;
  declared: boolean;
}

/** Whom the register tells. */
export interface TroubleListener {
  readonly began: (trouble: Trouble) => void;
  readonly ended: (trouble: Trouble) => void;
}

/** Who fails or stalls, since when and how often. Others ask it before they lend. */
export class Troubles {
  readonly #cases = new Map<string, Case>();
  readonly #random: () => number;
  readonly #listener: TroubleListener;

  constructor(random: () => number, listener: TroubleListener) {
    this.#random = random;
    this.#listener = listener;
  }

  /** Whether anything fails or stalls at all: asked before everything that costs. */
  get any(): boolean {
    return this.#cases.size > 0;
  }

  /** A try failed. @param detail - the reason, free of secrets. @param capMs - longest wait before the next. */
  failed(
    stage: TroubleStage,
    subject: string,
    nowMs: number,
    facts: { detail: string; jobId?: number; capMs?: number },
  ): void {
    const known = this.#case(stage, subject, nowMs, facts.jobId);
    known.failures += 1;
    known.hangs = false;
    known.seenAt = nowMs;
    known.detail = facts.detail;
    known.retryAt = nowMs + postBackoffMs(known.failures, this.#random(), 0, facts.capMs);
  }

  /** Something has been under way since then, which is far longer than it takes. */
  hangs(
    stage: TroubleStage,
    subject: string,
    nowMs: number,
    facts: { sinceMs: number; jobId?: number },
  ): void {
    const known = this.#case(stage, subject, nowMs, facts.jobId);
    known.since = Math.min(known.since, facts.sinceMs);
    known.seenAt = nowMs;
    known.hangs = known.hung = true;
  }

  /** It went well. */
  worked(stage: TroubleStage, subject: string, nowMs: number): void {
    if (this.#cases.size === 0) return;
    const key = keyOf(stage, subject);
    const known = this.#cases.get(key);
    if (!known) return;
    this.#cases.delete(key);
    if (known.declared) this.#listener.ended(seen(known, nowMs));
  }

  /** Whether lending to this subject is unwise: it failed three times in a row, or did not end. */
  isSuspect(stage: TroubleStage, subject: string): boolean {
    if (this.#cases.size === 0) return false;
    const known = this.#cases.get(keyOf(stage, subject));
    return known !== undefined && (known.hung || known.failures >= SUSPECT_FAILURES);
  }

  /** When to try again, on the monotonic clock; undefined when nothing failed. */
  retryAtMs(stage: TroubleStage, subject: string): number | undefined {
    return this.#cases.get(keyOf(stage, subject))?.retryAt;
  }

  /** Tells of what has lasted for long enough. To be called now and then. */
  declare(nowMs: number): void {
    for (const known of this.#cases.values()) {
      if (nowMs - known.seenAt > FORGOTTEN_AFTER_MS) this.worked(known.stage, known.subject, nowMs);
      if (known.declared || nowMs - known.since < DECLARED_AFTER_MS) continue;
      if (!known.hangs && known.failures < 2) continue;
      known.declared = true;
      this.#listener.began(seen(known, nowMs));
    }
  }

  /** What has lasted for long enough to be told, the longest first. */
  list(nowMs: number): readonly Trouble[] {
    return [...this.#cases.values()]
      .filter(({ declared }) => declared)
      .sort((a, b) => a.since - b.since)
      .map((known) => seen(known, nowMs));
  }

  /** Forgets what belonged to a job that left: a host that nobody needs any more is no trouble, whatever it answered last. */
  forget(jobId: number, nowMs: number): void {
    if (this.#cases.size === 0) return;
    this.worked('reserve', String(jobId), nowMs);
    this.worked('post', String(jobId), nowMs);
    for (const { jobs, stage, subject } of this.#cases.values())
      // A pipeline is still the worker's own: the next job meets the same handler.
      if (jobs.delete(jobId) && jobs.size === 0 && stage === 'download') this.worked(stage, subject, nowMs);
  }

  #case(stage: TroubleStage, subject: string, nowMs: number, jobId: number | undefined): Case {
    const key = keyOf(stage, subject);
    let known = this.#cases.get(key);
    if (!known) {
      const fresh = {
        failures: 0,
        since: nowMs,
        hangs: false,
        hung: false,
        detail: '',
        retryAt: nowMs,
        declared: false,
      };
      known = { stage, subject, jobs: new Set(), seenAt: nowMs, ...fresh };
      this.#cases.set(key, known);
      const [oldest] = this.#cases.values();
      // Who was told that it began is told that nothing more will be said of it.
      if (this.#cases.size > MAX_CASES && oldest) this.worked(oldest.stage, oldest.subject, nowMs);
    }
    if (jobId !== undefined && known.jobs.size < MAX_JOBS) known.jobs.add(jobId);
    return known;
  }
}

function keyOf(stage: TroubleStage, subject: string): string {
  return `${stage} ${subject}`;
}

function seen(known: Case, nowMs: number): Trouble {
  const { stage, subject, failures, since } = known;
  return { stage, subject, failures, sinceMs: nowMs - since, text: words(known, nowMs) };
}

function words({ stage, subject, jobs, failures, hangs, detail, since }: Case, nowMs: number): string {
  const forHowLong = `for ${Math.round((nowMs - since) / 1_000)} s`;
  const often = failures > 0 ? ` (failed ${failures} times${detail === '' ? '' : `, last: ${detail}`})` : '';
  const whose = jobs.size === 0 ? '' : `job${jobs.size > 1 ? 's' : ''} ${[...jobs].join(', ')}: `;
  switch (stage) {
    case 'reserve':
      return hangs && failures === 0
        ? `job ${subject}: a reservation has not been answered ${forHowLong}`
        : `job ${subject}: no reservation has succeeded ${forHowLong}${often}`;
    case 'download':
      return hangs
        ? `${whose}the images' host ${subject} has not answered ${forHowLong}${often}`
        : `${whose}the images' host ${subject} has not delivered ${forHowLong}${often}`;
    case 'handler':
      return hangs
        ? `pipeline ${subject}: a handler call has been running ${forHowLong}; other pipelines share the lanes that are left. ` +
            `If there are none, raise concurrency or set processTimeoutMs`
        : `pipeline ${subject}: no handler call has succeeded ${forHowLong}${often}`;
    case 'post':
      return hangs && failures === 0
        ? `job ${subject}: a post of results has not been answered ${forHowLong}`
        : `job ${subject}: no results have been accepted ${forHowLong}${often}`;
  }
}
