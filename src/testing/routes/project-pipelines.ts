import { formatServerTimestamp } from '../../contract/timestamps.js';
import type { ResponseRecord } from '../messages.js';
import { ofList } from '../serialize/permissions.js';
import { pipelineObject } from '../serialize/pipeline.js';
import { insertService } from '../state/new-rows.js';
import { RegistrationConflict, registerPipelines } from '../state/registration.js';
import type { ProjectRow, ServiceRow } from '../state/rows.js';
import { UndoLog } from '../state/table.js';
import { clientInfo } from '../validate/client-info.js';
import { FieldReader } from '../validate/fields.js';
import { postedPipelines } from '../validate/registration-schema.js';
import { canSee, denied, isSuperuser, managesMl, demand, roleIn } from '../wire/access.js';
import { LIST_ALLOW } from '../wire/call.js';
import type { Call, Route } from '../wire/call.js';
import { json } from '../wire/respond.js';
import { paginate } from '../wire/paginate.js';
import { badRequest, crash, notFound } from '../wire/refusal.js';
import { readId } from './lookup.js';
import { markCaller, markSeen } from './heartbeat.js';

function projectOf(call: Call): ProjectRow {
  const id = readId(call.params[0]);
  // The nested route crashes on an id that is no number, where others answer 404 (contract §1.1).
  if (id === undefined) throw crash();
  const project = call.store.projects.get(id);
  if (!project) throw notFound();
  return project;
}

/** The permission of the whole view: checked before the method, with 401 or 403 even for a draft (contract §2.5). */
function guard(call: Call): void {
  const { caller, request } = call;
  const project = projectOf(call);
  const ownService = caller.kind === 'service' && caller.service.projectIds.has(project.id);
  if (request.method !== 'POST') {
    demand(ownService || canSee(caller, project), caller);
    return;
  }
  if (caller.kind === 'service') demand(ownService, caller);
  else demand(isSuperuser(caller) || managesMl(roleIn(caller, project)), caller);
}

function list(call: Call): ResponseRecord {
  const project = projectOf(call);
  const page = {
    defaultLimit: call.antenna.settings.pageSize,
    permissions: ofList(isSuperuser(call.caller)),
  };
  return json(
    200,
    paginate(call, call.store.pipelinesOf(project.id), page, (pipeline) =>
      pipelineObject(call, pipeline, project.id),
    ),
  );
}

function register(call: Call): ResponseRecord {
  const project = projectOf(call);
  const fields = new FieldReader(call.body.data);
  const name = call.isKeyDialect ? undefined : fields.text('processing_service_name', { required: true });
  const posted = fields.schema('pipelines', postedPipelines) ?? [];
  const info = call.isKeyDialect ? fields.schema('client_info', clientInfo) : undefined;
  fields.done();
  const undo = new UndoLog();
  try {
    const service = call.isKeyDialect ? callingService(call) : serviceByName(call, project, name ?? '', undo);
    const { store, antenna } = call;
    const { random, settings } = antenna;
    const created = registerPipelines(
      { store, random, dialect: settings.dialect, project, service, undo },
      posted,
    );
    if (call.isKeyDialect) markCaller(call, info);
    else markSeen(call, [service]);
    return json(201, {
      timestamp: formatServerTimestamp(store.wallNow()),
      success: true,
      error: null,
      pipelines: posted,
      pipelines_created: created,
      algorithms_created: [],
    });
  } catch (error) {
    undo.rollBack();
    throw error instanceof RegistrationConflict ? crash() : error;
  }
}

function callingService(call: Call): ServiceRow {
  if (call.caller.kind === 'service') return call.caller.service;
  if (call.caller.kind === 'anonymous') throw denied(call.caller);
  throw badRequest(['Pipeline registration requires API key authentication.']);
}

const SERVICE_NAME_LIMIT = 255;

/** Finds a service by its exact name, on the whole server, or creates it; a name that two share crashes (T47). */
function serviceByName(call: Call, project: ProjectRow, name: string, undo: UndoLog): ServiceRow {
  const { services } = call.store;
  const found = services.filter((service) => service.name === name);
  if (found.length > 1 || name.length > SERVICE_NAME_LIMIT) throw crash();
  const service = found[0] ?? createService(call, name, undo);
  if (!service.projectIds.has(project.id)) {
    service.projectIds.add(project.id);
    undo.add(() => service.projectIds.delete(project.id));
  }
  return service;
}

function createService(call: Call, name: string, undo: UndoLog): ServiceRow {
  const { services } = call.store;
  const id = services.takeId();
  undo.add(() => {
    services.delete(id);
  });
  return insertService(call.store, { id, name, projectIds: new Set() });
}

export const projectPipelineRoutes: readonly Route[] = [
  {
    pattern: /^projects\/([^/.]+)\/pipelines\/$/,
    allow: LIST_ALLOW,
    methods: { GET: list, POST: register },
    guard,
  },
];
