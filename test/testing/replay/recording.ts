import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Shapes of the recorded exchanges; see the README beside the recordings. */
export interface Recording {
  readonly scenario: string;
  readonly dialect: 'api-key' | 'token';
  readonly purpose: string;
  readonly setup: Setup;
  readonly exchanges: readonly Exchange[];
  readonly volatile: readonly string[];
}

export interface Exchange {
  readonly at_ms: number;
  readonly took_ms?: number;
  readonly settled?: boolean;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: unknown;
    readonly raw_body?: string;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: unknown;
    readonly html?: boolean;
    readonly empty?: boolean;
    readonly text?: string;
  };
  readonly refs?: readonly {
    readonly path: string;
    readonly from_exchange: number;
    readonly from_path: string;
  }[];
  readonly random_order?: string;
  readonly note?: string;
}

export interface Setup {
  readonly users: readonly {
    symbol: string;
    id: number;
    email: string;
    name: string;
    is_superuser: boolean;
    is_staff: boolean;
    is_active: boolean;
  }[];
  readonly projects: readonly {
    id: number;
    name: string;
    draft: boolean;
    async_pipeline_workers: boolean;
    owner: string;
    members: readonly { user: string; role: string }[];
  }[];
  readonly deployments: readonly { id: number; name: string; project: number }[];
  readonly services: readonly {
    id: number;
    name: string;
    endpoint_url: string | null;
    project_ids: readonly number[];
    pipelines: readonly string[];
    keys: readonly { symbol: string; revoked: boolean }[];
  }[];
  readonly algorithms: readonly {
    id: number;
    key: string;
    name: string;
    version: number;
    task_type: string;
    category_map: { id: number; labels: string[]; data: Record<string, unknown>[] } | null;
  }[];
  readonly pipelines: readonly {
    id: number;
    slug: string;
    name: string;
    version: number;
    description: string;
    algorithms: readonly string[];
    projects: readonly { config_id: number; project_id: number; enabled: boolean }[];
  }[];
  readonly captures: readonly { id: number; project: number; deployment: number; url: string }[];
  readonly jobs: readonly {
    id: number;
    name: string;
    project: number;
    pipeline: string;
    deployment: number;
    status: string;
    dispatch_mode: 'internal' | 'sync_api' | 'async_api';
    limit: number;
    queued: boolean;
    capture_ids: readonly number[];
  }[];
  readonly server: {
    readonly visibility_timeout_s: number;
    readonly max_deliveries: number;
    readonly max_outstanding_per_job: number;
    readonly task_queue?: string;
    readonly broker?: string;
  };
}

const FOLDER = fileURLToPath(new URL('../../../../shared/contract/recordings/', import.meta.url));

/** The recordings lie beside the repository, and only on some machines. */
export const recordingsPresent = existsSync(FOLDER);

export function loadRecordings(dialect: 'api-key' | 'token'): Recording[] {
  if (!recordingsPresent) return [];
  return readdirSync(`${FOLDER}${dialect}`)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(`${FOLDER}${dialect}/${name}`, 'utf8')) as Recording);
}
