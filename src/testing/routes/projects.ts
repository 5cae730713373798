import type { ResponseRecord } from '../messages.js';
import { ofList } from '../serialize/permissions.js';
import { projectListItem, projectObject } from '../serialize/project.js';
import { canSee, isSuperuser, roleIn } from '../wire/access.js';
import { DETAIL_ALLOW, LIST_ALLOW } from '../wire/call.js';
import type { Call, Route } from '../wire/call.js';
import { json } from '../wire/respond.js';
import { paginate } from '../wire/paginate.js';
import { forbidden, notFound } from '../wire/refusal.js';
import { orderBy, readId } from './lookup.js';

const DEFAULT_LIMIT = 40;

/** Every public project plus the caller's drafts: not "my projects" (contract §4.4). */
function list(call: Call): ResponseRecord {
  const { caller, store } = call;
  const userId = call.query.get('user_id');
  if (userId !== undefined && (caller.kind !== 'user' || String(caller.user.id) !== userId)) {
    throw forbidden('You can only view your projects');
  }
  const visible = store.projects.filter(
    (project) => canSee(caller, project) && (userId === undefined || roleIn(caller, project) !== undefined),
  );
  const rows = orderBy(visible, call.query.get('ordering'), {
    name: (row) => row.name,
    created_at: (row) => row.createdAt,
    updated_at: (row) => row.updatedAt,
  });
  const page = { defaultLimit: DEFAULT_LIMIT, permissions: ofList(isSuperuser(caller)) };
  return json(
    200,
    paginate(call, rows ?? visible, page, (project) => projectListItem(call, project)),
  );
}

function detail(call: Call): ResponseRecord {
  const project = call.store.projects.get(readId(call.params[0]));
  if (!project || !canSee(call.caller, project)) throw notFound();
  return json(200, projectObject(call, project));
}

export const projectRoutes: readonly Route[] = [
  { pattern: /^projects\/$/, allow: LIST_ALLOW, methods: { GET: list } },
  { pattern: /^projects\/([^/.]+)\/$/, allow: DETAIL_ALLOW, methods: { GET: detail } },
];
