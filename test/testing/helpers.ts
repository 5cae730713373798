import { createContractServer, createTestClock } from '../../src/testing/index.js';
import type { ContractServerOptions, TestClock } from '../../src/testing/index.js';

/** A small world: one project, a service with a key, a pipeline, a superuser. */
export function createWorld(options: Partial<Omit<ContractServerOptions, 'clock'>> = {}) {
  const clock: TestClock = createTestClock();
  const server = createContractServer({ dialect: 'api-key', ...options, clock });
  const user = server.user({ email: 'root@example.org', password: 'secret', superuser: true });
  const project = server.project({ name: 'Meadow', owner: server.user({ email: 'owner@example.org' }) });
  const service = project.service({ name: 'worker-a' });
  const key = service.key();
  const pipeline = project.pipeline({
    slug: 'moths',
    algorithms: [
      { key: 'box', task_type: 'detection' },
      { key: 'species', task_type: 'classification', labels: ['a', 'b', 'c'] },
    ],
  });
  const authorization = server.dialect === 'api-key' ? `Api-Key ${key.value}` : `Token ${user.token}`;
  const call = createCaller(server.fetch, server.baseUrl, authorization);
  return { server, clock, user, project, service, key, pipeline, call };
}

export type World = ReturnType<typeof createWorld>;

export interface CallResult {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export type Caller = (
  method: string,
  path: string,
  body?: unknown,
  init?: { headers?: Record<string, string>; authorization?: string | null; signal?: AbortSignal },
) => Promise<CallResult>;

export function createCaller(
  fetchLike: (input: string, init?: RequestInit) => Promise<Response>,
  baseUrl: string,
  defaultAuthorization: string,
): Caller {
  return async (method, path, body, init = {}) => {
    const authorization = init.authorization === undefined ? defaultAuthorization : init.authorization;
    const response = await fetchLike(`${baseUrl}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        accept: 'application/json',
        ...(authorization === null ? {} : { authorization }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...init.headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(init.signal ? { signal: init.signal } : {}),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parse(text) };
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export interface Task {
  readonly id: string;
  readonly image_id: string;
  readonly image_url: string;
  readonly reply_subject: string;
}

export async function take(call: Caller, jobId: number, batchSize = 10): Promise<Task[]> {
  const { body } = await call('POST', `/jobs/${jobId}/tasks/`, { batch_size: batchSize });
  return (body as { tasks: Task[] }).tasks;
}

export function post(call: Caller, jobId: number, ...results: unknown[]): Promise<CallResult> {
  return call('POST', `/jobs/${jobId}/result/`, { results });
}

const WHEN = '2026-01-01T00:00:00Z';

/** A good result with one insect per given x. */
export function success(
  task: Task,
  xs: readonly number[] = [1],
  changes: Record<string, unknown> = {},
): unknown {
  return {
    reply_subject: task.reply_subject,
    result: {
      pipeline: 'moths',
      total_time: 0.5,
      source_images: [{ id: task.image_id, url: task.image_url }],
      detections: xs.map((x) => detection(task.image_id, x)),
      ...changes,
    },
  };
}

export function detection(
  imageId: string,
  x: number,
  scores = [0.8, 0.1, 0.1],
  taxon = 'a',
): Record<string, unknown> {
  return {
    source_image_id: imageId,
    bbox: { x1: x, y1: 1, x2: x + 10, y2: 11 },
    algorithm: { name: 'Box', key: 'box' },
    timestamp: WHEN,
    classifications: [
      { classification: taxon, scores, algorithm: { name: 'Species', key: 'species' }, timestamp: WHEN },
    ],
  };
}

export function failure(task: Task, imageId: string | undefined = task.image_id): unknown {
  return { reply_subject: task.reply_subject, result: { error: 'broken image', image_id: imageId } };
}
