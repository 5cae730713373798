import type { JobRow, ServiceRow } from '../state/rows.js';
import { mergeClientInfo } from '../validate/client-info.js';
import type { Call } from '../wire/call.js';

const THROTTLE_MS = 30_000;

/** Marks services as seen now. */
export function markSeen(call: Call, services: readonly ServiceRow[]): void {
  for (const service of services) {
    service.lastSeen = call.store.wallNow();
    service.lastSeenLive = true;
  }
}

/** Marks the calling service and merges what it said about itself (contract §9). */
export function markCaller(call: Call, info: Readonly<Record<string, unknown>> | undefined): void {
  if (call.caller.kind !== 'service') return;
  const { service } = call.caller;
  const { headers, remoteAddress } = call.request;
  const forwarded = headers['x-forwarded-for']?.split(',', 1)[0]?.trim();
  service.clientInfo = mergeClientInfo(service.clientInfo, info ?? {}, {
    ip: forwarded ?? remoteAddress,
    userAgent: headers['user-agent'] ?? '',
  });
  markSeen(call, [service]);
}

/**
 * A heartbeat by tasks or result: a key marks its own service; a token marks every pull service on the job's pipeline in
 * that project (contract §4.12), at most once per 30 s in `token`.
 */
export function jobHeartbeat(
  call: Call,
  job: JobRow,
  info: Readonly<Record<string, unknown>> | undefined,
): void {
  if (call.caller.kind === 'service') {
    markCaller(call, info);
    return;
  }
  if (!call.isKeyDialect && isThrottled(call, `job:${job.pipelineId ?? ''}:${job.projectId}`)) return;
  markSeen(
    call,
    call.store.services.filter(
      (service) =>
        service.endpointUrl === null &&
        service.projectIds.has(job.projectId) &&
        job.pipelineId !== null &&
        service.pipelineIds.has(job.pipelineId),
    ),
  );
}

/** A heartbeat by polling: `token` only, without any authentication (contract §4.9). */
export function pollHeartbeat(call: Call, slugs: readonly string[], projectId: number | undefined): void {
  if (call.isKeyDialect || (slugs.length === 0 && projectId === undefined)) return;
  if (isThrottled(call, `poll:${[...slugs].sort().join(',')}:${projectId ?? ''}`)) return;
  const wanted = new Set(
    call.store.pipelines.filter((pipeline) => slugs.includes(pipeline.slug)).map((pipeline) => pipeline.id),
  );
  markSeen(
    call,
    call.store.services.filter((service) => {
      if (service.endpointUrl !== null) return false;
      if (slugs.length > 0) return [...service.pipelineIds].some((id) => wanted.has(id));
      return projectId !== undefined && service.projectIds.has(projectId);
    }),
  );
}

function isThrottled(call: Call, key: string): boolean {
  const now = call.store.wallNow();
  const last = call.store.heartbeats.get(key);
  if (last !== undefined && now - last < THROTTLE_MS) return true;
  call.store.heartbeats.set(key, now);
  return false;
}
