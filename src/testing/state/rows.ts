import type { BoundedLog } from '../bounded-log.js';
import type { JobLedger } from '../jobs/ledger.js';
import type { Receipts } from '../jobs/receipts.js';
import type { Progress, JobStatus } from '../jobs/progress.js';
import type { TaskQueue } from '../queue/task-queue.js';

/** Roles of a project's members (contract §3), weakest first. */
export const ROLES = ['BasicMember', 'Researcher', 'Identifier', 'MLDataManager', 'ProjectManager'] as const;
export type Role = (typeof ROLES)[number];

export interface UserRow {
  readonly id: number;
  email: string;
  name: string;
  password: string;
  superuser: boolean;
  staff: boolean;
  active: boolean;
  /** The user's only token; null between a logout and the next login. */
  token: string | null;
}

export interface ProjectRow {
  readonly id: number;
  name: string;
  draft: boolean;
  asyncPipelineWorkers: boolean;
  ownerId: number | null;
  readonly members: Map<number, Role>;
  readonly createdAt: number;
  updatedAt: number;
}

export interface DeploymentRow {
  readonly id: number;
  name: string;
  projectId: number;
}

export interface SavedClassification {
  taxon: string;
  score: number;
  algorithm: string;
  terminal: boolean;
}

export interface SavedDetection {
  readonly id: number;
  /** Null is the "nothing found" marker (contract §7.5). */
  readonly bbox: { x1: number; y1: number; x2: number; y2: number } | null;
  readonly algorithm: string;
  readonly classifications: SavedClassification[];
}

export interface CaptureRow {
  readonly id: number;
  /** Null imitates an image without a URL: queueing it fails the whole job (contract §5.2). */
  url: string | null;
  deploymentId: number;
  projectId: number;
  detections: SavedDetection[];
  /** Pipelines that have fully processed this capture; later jobs of those skip it. */
  processedBy: Set<number> | null;
}

export interface KeyRow {
  readonly id: number;
  readonly serviceId: number;
  readonly prefix: string;
  /** SHA-512 of the whole key, in hex: the server never keeps the key itself. */
  readonly hash: string;
  readonly createdAt: number;
  revoked: boolean;
  /** Wall milliseconds; the real `api-key` server stores it and never enforces it (T9). */
  expiresAt: number | null;
  usageCount: number;
  lastUsedAt: number | null;
}

export interface ServiceRow {
  readonly id: number;
  name: string;
  description: string;
  endpointUrl: string | null;
  readonly projectIds: Set<number>;
  readonly pipelineIds: Set<number>;
  readonly createdAt: number;
  updatedAt: number;
  lastSeen: number | null;
  lastSeenLive: boolean | null;
  clientInfo: Record<string, unknown> | null;
}

export interface CategoryMapRow {
  readonly id: number;
  labels: string[];
  /** `{}` when a `token` server was sent a map without `data` (contract §8.1). */
  data: Record<string, unknown>[] | Record<string, never>;
}

export interface AlgorithmRow {
  readonly id: number;
  key: string;
  name: string;
  version: number;
  versionName: string;
  description: string;
  taskType: string | null;
  uri: string | null;
  categoryMap: CategoryMapRow | null;
  readonly createdAt: number;
  updatedAt: number;
}

export interface PipelineConfigRow {
  readonly id: number;
  readonly projectId: number;
  enabled: boolean;
}

export interface PipelineRow {
  readonly id: number;
  slug: string;
  name: string;
  version: number;
  versionName: string;
  description: string;
  readonly algorithmIds: Set<number>;
  /** Links to projects, in order of creation. */
  readonly configs: PipelineConfigRow[];
  readonly createdAt: number;
  updatedAt: number;
}

/** Ids still expected per stage, and those that failed: what the server keeps in Redis while a job runs. */
export interface Counters {
  readonly total: number;
  readonly pendingProcess: Set<string>;
  readonly pendingResults: Set<string>;
  readonly failed: Set<string>;
}

export type DispatchMode = 'internal' | 'sync_api' | 'async_api';

export interface JobRow {
  readonly id: number;
  name: string;
  readonly projectId: number;
  pipelineId: number | null;
  readonly deploymentId: number | null;
  readonly singleCaptureId: number | null;
  readonly collectionId: number | null;
  readonly dispatchMode: DispatchMode;
  readonly jobType: string;
  readonly delaySeconds: number;
  readonly limit: number | null;
  readonly shuffle: boolean;
  /** Captures named one by one; null means all of the deployment. */
  readonly captureIds: readonly number[] | null;
  status: JobStatus;
  progress: Progress;
  counters: Counters | null;
  queue: TaskQueue | null;
  readonly createdAt: number;
  updatedAt: number;
  startedAt: number | null;
  finishedAt: number | null;
  deleted: boolean;
  readonly logs: BoundedLog<string>;
  readonly errorLogs: BoundedLog<string>;
  readonly ledger: JobLedger;
  readonly receipts: Receipts;
}
