import { LRUCache } from 'lru-cache';
import type { Task } from '../../contract/tasks.js';
import type { Outbox } from '../outbox/outbox.js';
import type { OpenJob, Outlook } from '../policy/rotation/rotation.js';
import { originOf } from '../policy/shares/origins.js';
import type { Reservations } from '../policy/shares/reservations.js';
import { ceilingOf, placesOf, roomFor, type Standing } from '../policy/shares/shares.js';
import { askThreshold, type Sizing } from '../policy/sizing/hold-target.js';
import { limitsOf, type RunContext } from '../run/context.js';

/** Hosts of a job's last answer that are looked at, and jobs whose hosts are remembered. */
const MAX_ORIGINS = 8;
const MAX_JOBS = 1_000;

/** How many tasks each job may be asked for: gathers the facts that the policy of sharing goes by. */
export class Room {
  readonly #context: RunContext;
  readonly #outbox: Outbox;
  readonly #reservations: Reservations;
  /** Hosts of the images of each job's last answer. */
  readonly #origins = new LRUCache<number, readonly string[]>({ max: MAX_JOBS });
  readonly #warnedOf = new Set<string>();
  /** What is the same for many jobs of one turn: hundreds are looked at with every task that leaves. */
  readonly #sizings = new Map<string, Sizing>();
  readonly #movings = new Map<string, { readonly count: number; readonly most: number }>();

  constructor(context: RunContext, outbox: Outbox, reservations: Reservations) {
    this.#context = context;
    this.#outbox = outbox;
    this.#reservations = reservations;
  }

  /** Things may have changed since the last look. */
  beginTurn(): void {
    this.#sizings.clear();
    this.#movings.clear();
  }

  /** Tasks of a job came. */
  seen(jobId: number, tasks: readonly Task[]): void {
    const origins = new Set<string>();
    for (const { image_url } of tasks) if (origins.size < MAX_ORIGINS) origins.add(originOf(image_url));
    this.#origins.set(jobId, [...origins]);
  }

  /** @returns how many tasks to ask this job for; 0 to pass it over. */
  of(job: OpenJob, outlook: Outlook, nowMs: number): number {
    const { hold, options, pace } = this.#context;
    const { id, pipeline } = job;
    const reservations = this.#reservations;
    const { maxHeld } = options;
    const { asked } = reservations;
    if (hold.size + asked >= maxHeld || reservations.has(id) || this.#outbox.isBlockedFor(id)) return 0;
    const own = hold.of(id).size;
    const standing = this.#standing(id, nowMs);
    const ceiling = standing === 'new' && this.#outbox.isDoubtful ? 1 : ceilingOf(maxHeld, standing);
    const places = { own, ceiling, held: hold.size, asked, maxHeld, maxBatch: options.maxBatchSize };
    // With every task that leaves this is asked for every job, and a fast worker mostly has all that it may.
    if (placesOf(places) < 1) return 0;
    if (standing === 'suspect' && !this.#mayProbe(id, own, nowMs)) return 0;
    const { slug, batchSize } = pipeline;
    const sizing = this.#sizing(job, nowMs);
    const lanes = options.concurrency;
    const moving = this.#movings.get(slug) ?? this.#moving(slug, nowMs);
    const room = roomFor({
      target: sizing.target,
      most: moving.most,
      threshold: askThreshold(sizing, batchSize * lanes),
      moving: moving.count,
      batch: batchSize,
      expected: reservations.expected(slug),
      ...places,
      cold: sizing.bound === 'cold-start',
      lanes,
    });
    const askable = reservations.askable(outlook, room);
    return askable === 0 ? 0 : Math.min(askable, Math.floor(pace.room(job, nowMs)));
  }

  #sizing({ id, pipeline: { slug, batchSize } }: OpenJob, nowMs: number): Sizing {
    const { estimator, bus, client } = this.#context;
    const origin = this.#origins.peek(id)?.[0];
    // Jobs that nothing is known of are sized alike.
    const key = estimator.isMeasured(id) ? undefined : `${slug} ${origin ?? ''}`;
    const known = key === undefined ? undefined : this.#sizings.get(key);
    if (known) return known;
    const limits = limitsOf(this.#context);
    const sizing = estimator.sizing(slug, batchSize, limits, nowMs, { jobId: id, origin });
    if (key !== undefined) this.#sizings.set(key, sizing);
    if (sizing.leaseTooShort && !this.#warnedOf.has(slug)) {
      this.#warnedOf.add(slug);
      const explanation = estimator.explain(slug, batchSize, limits, nowMs);
      bus.emit('lease_too_short', { pipeline: slug, explanation });
      client.logger.warn({ pipeline: slug, leaseMs: limits.leaseMs }, explanation);
    }
    return sizing;
  }

  /** A job whose every image host is in trouble, or whose posts are, gives nothing back that it takes. */
  #standing(jobId: number, nowMs: number): Standing {
    const { troubles, origins } = this.#context;
    if (troubles.any) {
      if (troubles.isSuspect('post', String(jobId))) return 'suspect';
      const hosts = this.#origins.peek(jobId);
      if (hosts?.every((host) => origins.isSuspect(host, nowMs))) return 'suspect';
    }
    return this.#outbox.hasAccepted(jobId) ? 'proven' : 'new';
  }

  /** Whether to take one task of a job in trouble, to see whether it is back. */
  #mayProbe(jobId: number, own: number, nowMs: number): boolean {
    const { origins, troubles } = this.#context;
    // What waits to be posted is tried again by itself, and tells as much.
    if (own > 0 || troubles.isSuspect('post', String(jobId))) return false;
    const hosts = this.#origins.peek(jobId) ?? [];
    return hosts.some((host) => origins.runningOf(host) === 0 && nowMs >= (origins.retryAtMs(host) ?? nowMs));
  }

  /**
   * Tasks of a pipeline in hand that will pass the model or the post soon. One whose image does not come, or whose job's posts fail,
   * neither keeps the model busy nor keeps it from others.
   */
  #moving(slug: string, nowMs: number): { readonly count: number; readonly most: number } {
    const { hold, troubles, origins, estimator } = this.#context;
    let moving = 0;
    let most = 0;
    for (const jobId of hold.jobs) {
      const items = hold.of(jobId);
      const [first] = items;
      if (first?.pipeline.slug !== slug) continue;
      most = Math.max(most, estimator.lastTarget(jobId));
      if (!troubles.any) moving += items.size;
      else if (troubles.isSuspect('post', String(jobId))) continue;
      else
        for (const { stage, origin } of items)
          if (!((stage === 'queued' || stage === 'downloading') && origins.isSuspect(origin, nowMs)))
            moving += 1;
    }
    const found = { count: moving, most };
    this.#movings.set(slug, found);
    return found;
  }
}
