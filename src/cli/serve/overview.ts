import type { ContractServerCore, JobHandle, ProjectHandle } from '../../testing/serving.js';

/** What the page of `antenna serve` shows. Credentials are not in it. */
export interface ServeOverview {
  readonly software: string;
  readonly url: string;
  readonly dialect: string;
  readonly now: string;
  readonly startedAt: string;
  readonly images: number;
  readonly projects: readonly ProjectOverview[];
  /** Newest first, at most {@link MAX_JOBS}. */
  readonly jobs: readonly ServedJob[];
  readonly pictures: readonly Picture[];
  readonly requests: readonly {
    readonly at: string;
    readonly method: string;
    readonly path: string;
    readonly status: number | null;
  }[];
}

interface ProjectOverview {
  readonly id: number;
  readonly name: string;
  readonly pipelines: readonly string[];
  readonly services: readonly {
    readonly name: string;
    readonly lastSeen: string | undefined;
    readonly client: string;
  }[];
}

/** A job with its queue and its deliveries. */
export interface ServedJob {
  readonly id: number;
  readonly name: string;
  readonly status: string;
  readonly pipeline: string;
  readonly project: number;
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly detections: number;
  readonly queue: JobHandle['queue'];
  readonly deliveries: number;
  /** Deliveries that came to nothing within their lease. */
  readonly expired: number;
  readonly posted: number;
  readonly acknowledged: number;
  /** Tasks whose last delivery ran out: nobody gets them again. */
  readonly exhausted: number;
  /** Newest first. */
  readonly events: readonly {
    readonly at: string;
    readonly kind: string;
    readonly imageId: string;
    readonly more: string;
  }[];
}

/** An image that a worker has answered for, on our own image host. */
interface Picture {
  readonly at: string;
  readonly jobId: number;
  readonly imageId: string;
  readonly path: string;
  readonly boxes: readonly {
    readonly bbox: object;
    readonly label: string | undefined;
    readonly score: number | undefined;
  }[];
}

/** What is looked at. */
export interface Looked {
  readonly server: ContractServerCore;
  readonly projects: readonly ProjectHandle[];
  readonly origin: string;
  readonly software: string;
  readonly startedAt: string;
  readonly images: number;
}

const MAX_JOBS = 12;
const MAX_EVENTS = 12;
const MAX_PICTURES = 12;
const MAX_REQUESTS = 15;

export function overviewOf({ server, projects, origin, ...rest }: Looked): ServeOverview {
  const jobs = server.jobs.toReversed().slice(0, MAX_JOBS);
  return {
    ...rest,
    url: origin,
    dialect: server.dialect,
    now: new Date().toISOString(),
    projects: projects.map(projectOf),
    jobs: jobs.map(jobOf),
    pictures: jobs
      .flatMap((job) => picturesOf(job, origin))
      .sort((a, b) => b.at.localeCompare(a.at))
      .slice(0, MAX_PICTURES),
    requests: server.requests
      .slice(-MAX_REQUESTS)
      .reverse()
      .map(({ at, method, path, status }) => ({ at: iso(at), method, path, status })),
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();

function projectOf({ id, name, pipelines, services }: ProjectHandle): ProjectOverview {
  return {
    id,
    name,
    pipelines: pipelines.map(({ slug }) => slug),
    services: services.map((service) => ({
      name: service.name,
      lastSeen: service.lastSeen?.toISOString(),
      client: ['software', 'version', 'hostname', 'gpu']
        .map((field) => service.clientInfo?.[field])
        .filter((value) => typeof value === 'string')
        .join(' '),
    })),
  };
}

export function jobOf(job: JobHandle): ServedJob {
  const { ledger, counts } = job;
  return {
    id: job.id,
    name: job.name,
    status: job.status,
    pipeline: job.pipelineSlug ?? '–',
    project: job.projectId,
    total: counts.total,
    done: counts.processed,
    failed: counts.failed,
    detections: counts.detections,
    queue: job.queue,
    deliveries: ledger.total('delivered'),
    expired: ledger.total('expired'),
    posted: ledger.total('posted'),
    acknowledged: ledger.total('acknowledged'),
    exhausted: ledger.total('exhausted'),
    events: ledger.events
      .filter(({ kind }) => kind !== 'published')
      .slice(-MAX_EVENTS)
      .reverse()
      .map(({ at, kind, imageId, delivery, outcome, reason }) => ({
        at: iso(at),
        kind,
        imageId,
        more: [delivery === undefined ? '' : `delivery ${delivery}`, outcome ?? '', reason ?? '']
          .filter((text) => text !== '')
          .join(', '),
      })),
  };
}

/** Only those on our own image host: the page asks nobody else for anything. */
function picturesOf(job: JobHandle, origin: string): Picture[] {
  return job.ledger.events
    .filter(({ kind }) => kind === 'counted')
    .slice(-MAX_PICTURES)
    .flatMap(({ at, imageId }) => {
      const url = job.imageUrl(imageId);
      if (url?.startsWith(`${origin}/`) !== true) return [];
      const boxes = job.detections(imageId).flatMap(({ bbox, classifications }) => {
        const counted = classifications.findLast(({ terminal }) => terminal) ?? classifications.at(-1);
        return bbox === null ? [] : [{ bbox, label: counted?.taxon, score: counted?.score }];
      });
      return [{ at: iso(at), jobId: job.id, imageId, path: url.slice(origin.length), boxes }];
    });
}
