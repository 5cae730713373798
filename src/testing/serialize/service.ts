import { formatServerTimestamp } from '../../contract/timestamps.js';
import { visiblePrefix } from '../state/keys.js';
import type { ServiceRow } from '../state/rows.js';
import { byNameAndVersion } from '../state/store.js';
import type { Call } from '../wire/call.js';
import * as permissions from './permissions.js';
import { pipelineReference } from './pipeline.js';

/** A pull service counts as live this long after it was seen (contract §4.7). */
const LIVE_FOR_MS = 60_000;

/** A processing service (contract §4.7); prefix and client info exist in `api-key` only. */
export function serviceObject(call: Call, service: ServiceRow): Record<string, unknown> {
  const pipelines = [...service.pipelineIds].flatMap((id) => call.store.pipelines.get(id) ?? []);
  const keyFields = {
    api_key_prefix: visiblePrefix(call.store, service.id),
    last_seen_client_info: service.clientInfo,
  };
  return {
    id: service.id,
    details: call.url(`ml/processing_services/${service.id}/`),
    name: service.name,
    description: service.description,
    projects: [...service.projectIds],
    endpoint_url: service.endpointUrl,
    is_async: service.endpointUrl === null,
    pipelines: pipelines.sort(byNameAndVersion).map((pipeline) => pipelineReference(call, pipeline)),
    ...(call.isKeyDialect ? keyFields : {}),
    created_at: formatServerTimestamp(service.createdAt),
    updated_at: formatServerTimestamp(service.updatedAt),
    last_seen: service.lastSeen === null ? null : formatServerTimestamp(service.lastSeen),
    last_seen_live: service.lastSeenLive,
    user_permissions: permissions.ofPlainObject(call.caller),
  };
}

/** The status of a service; reading it can flip `last_seen_live` to false, as on the real server. */
export function statusObject(call: Call, service: ServiceRow): Record<string, unknown> {
  const now = call.store.wallNow();
  const live = service.lastSeen !== null && now - service.lastSeen < LIVE_FOR_MS;
  if (service.lastSeenLive && !live) service.lastSeenLive = false;
  const names = [...service.pipelineIds].flatMap((id) => call.store.pipelines.get(id)?.name ?? []);
  return {
    timestamp: formatServerTimestamp(service.lastSeen ?? now),
    request_successful: live,
    pipeline_configs: [],
    error: null,
    server_live: live,
    pipelines_online: live ? names : [],
    endpoint_url: service.endpointUrl,
    latency: 0,
  };
}
