import type { ResponseRecord } from '../messages.js';
import { ofList } from '../serialize/permissions.js';
import { pipelineIsVisible, pipelineObject } from '../serialize/pipeline.js';
import { byNameAndVersion } from '../state/store.js';
import { isSuperuser } from '../wire/access.js';
import { DETAIL_ALLOW, LIST_ALLOW } from '../wire/call.js';
import type { Call, Route } from '../wire/call.js';
import { json } from '../wire/respond.js';
import { paginate } from '../wire/paginate.js';
import { notFound } from '../wire/refusal.js';
import { optionalProject, orderBy, readId } from './lookup.js';

/**
 * All visible pipelines; there is no filter by slug, and an unknown `project_id` is no filter either (T16). A known one also limits
 * what is nested in each (contract §4.8).
 */
function list(call: Call): ResponseRecord {
  const project = optionalProject(call);
  const seesAll = isSuperuser(call.caller);
  const visible = call.store.pipelines
    .filter((pipeline) => seesAll || pipelineIsVisible(call, pipeline))
    .filter((pipeline) => !project || pipeline.configs.some((config) => config.projectId === project.id))
    .sort(byNameAndVersion);
  const rows = orderBy(visible, call.query.get('ordering'), {
    id: (row) => row.id,
    name: (row) => row.name,
    created_at: (row) => row.createdAt,
    updated_at: (row) => row.updatedAt,
  });
  const page = { defaultLimit: call.antenna.settings.pageSize, permissions: ofList(seesAll) };
  return json(
    200,
    paginate(call, rows ?? visible, page, (pipeline) => pipelineObject(call, pipeline, project?.id)),
  );
}

function detail(call: Call): ResponseRecord {
  const pipeline = call.store.pipelines.get(readId(call.params[0]));
  if (!pipeline || !(isSuperuser(call.caller) || pipelineIsVisible(call, pipeline))) throw notFound();
  return json(200, pipelineObject(call, pipeline));
}

export const pipelineRoutes: readonly Route[] = [
  { pattern: /^ml\/pipelines\/$/, allow: LIST_ALLOW, methods: { GET: list } },
  { pattern: /^ml\/pipelines\/([^/.]+)\/$/, allow: DETAIL_ALLOW, methods: { GET: detail } },
];
