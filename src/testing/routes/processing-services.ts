import { formatServerTimestamp } from '../../contract/timestamps.js';
import type { ResponseRecord } from '../messages.js';
import { ofList } from '../serialize/permissions.js';
import { serviceObject, statusObject } from '../serialize/service.js';
import { ServiceNameTooLong, rotateKey } from '../state/keys.js';
import { insertService } from '../state/new-rows.js';
import type { ServiceRow } from '../state/rows.js';
import { isObject } from '../validate/pydantic.js';
import { FieldReader } from '../validate/fields.js';
import { canSee, demand, isSuperuser, mayProvision } from '../wire/access.js';
import { ACTION_ALLOW, DETAIL_ALLOW, LIST_ALLOW } from '../wire/call.js';
import type { Call, Route } from '../wire/call.js';
import { empty, json } from '../wire/respond.js';
import { paginate } from '../wire/paginate.js';
import { crash } from '../wire/refusal.js';
import { findService, orderBy, readId, requiredProject } from './lookup.js';

const NAME_LIMIT = 255;
const ENDPOINT_LIMIT = 1024;

/** Services of a project that also belong to at least one project the caller may see. */
function list(call: Call): ResponseRecord {
  const project = requiredProject(call);
  const visible = call.store.services.filter(
    (service) => service.projectIds.has(project.id) && serviceIsVisible(call, service),
  );
  const rows = orderBy(visible, call.query.get('ordering'), {
    id: (row) => row.id,
    created_at: (row) => row.createdAt,
    updated_at: (row) => row.updatedAt,
  });
  const page = {
    defaultLimit: call.antenna.settings.pageSize,
    permissions: ofList(isSuperuser(call.caller)),
  };
  return json(
    200,
    paginate(call, rows ?? visible, page, (service) => serviceObject(call, service)),
  );
}

function serviceIsVisible(call: Call, service: ServiceRow): boolean {
  return [...service.projectIds].some((id) => {
    const project = call.store.projects.get(id);
    return project !== undefined && canSee(call.caller, project);
  });
}

/** Everything but reading is for staff and superusers, checked before the method and the body. */
function writersOnly(call: Call): void {
  if (!['GET', 'HEAD', 'OPTIONS'].includes(call.request.method))
    demand(mayProvision(call.caller), call.caller);
}

function bodyObject(call: Call): Record<string, unknown> {
  return isObject(call.body.data) ? call.body.data : {};
}

/** The answer wraps the object in `instance`; a missing name crashes instead of being refused (T49). */
function create(call: Call): ResponseRecord {
  const fields = new FieldReader(call.body.data);
  if (!fields.has('name')) throw crash();
  const values = readServiceFields(fields);
  const project = requiredProject(call, bodyObject(call));
  const service = insertService(call.store, {
    ...values,
    name: values.name ?? '',
    projectIds: new Set([project.id]),
  });
  return json(201, { instance: serviceObject(call, service), status: statusObject(call, service) });
}

interface ServiceFields {
  name?: string | null | undefined;
  description?: string | null | undefined;
  endpointUrl?: string | null | undefined;
}

function readServiceFields(fields: FieldReader): ServiceFields {
  const values = {
    name: fields.text('name', { max: NAME_LIMIT }),
    description: fields.text('description', { blank: true }),
    endpointUrl: fields.text('endpoint_url', { nullable: true, max: ENDPOINT_LIMIT }),
  };
  fields.done();
  return values;
}

function detail(call: Call): ResponseRecord {
  return json(200, serviceObject(call, findService(call, requiredProject(call))));
}

function update(call: Call): ResponseRecord {
  const service = findService(call, requiredProject(call, bodyObject(call)));
  const values = readServiceFields(new FieldReader(call.body.data));
  service.name = values.name ?? service.name;
  service.description = values.description ?? service.description;
  if (values.endpointUrl !== undefined) service.endpointUrl = values.endpointUrl;
  service.updatedAt = call.store.wallNow();
  return json(200, serviceObject(call, service));
}

function remove(call: Call): ResponseRecord {
  const service = findService(call, requiredProject(call, bodyObject(call)));
  call.store.services.delete(service.id);
  return empty(204);
}

function status(call: Call): ResponseRecord {
  const service = call.store.services.get(readId(call.params[0]));
  if (!service) throw crash();
  return json(200, statusObject(call, service));
}

/** The plain key is shown here and never again; every earlier key of the service stops working at once (T10). */
function generateKey(call: Call): ResponseRecord {
  const service = findService(call, requiredProject(call, bodyObject(call)));
  try {
    const { row, value } = rotateKey(call.store, service, call.antenna.random);
    return json(200, {
      api_key: value,
      prefix: row.prefix,
      message: 'API key generated. This is the only time the full key will be shown.',
    });
  } catch (error) {
    throw error instanceof ServiceNameTooLong ? crash() : error;
  }
}

/** Asks the service's endpoint for its pipelines; a pull service has none, so nothing happens. */
function registerFromEndpoint(call: Call): ResponseRecord {
  const service = call.store.services.get(readId(call.params[0]));
  if (!service || service.endpointUrl !== null) throw crash();
  return json(200, {
    timestamp: formatServerTimestamp(call.store.wallNow()),
    success: true,
    error: null,
    pipelines: [],
    pipelines_created: [],
    algorithms_created: [],
  });
}

const BASE = 'ml\\/processing_services';

/** `generate_key` exists in `api-key` only. */
export function processingServiceRoutes(dialect: 'api-key' | 'token'): readonly Route[] {
  const keys: Route[] = [
    {
      pattern: new RegExp(`^${BASE}\\/([^/.]+)\\/generate_key\\/$`),
      allow: ACTION_ALLOW,
      methods: { POST: generateKey },
      guard: writersOnly,
    },
  ];
  return [
    {
      pattern: new RegExp(`^${BASE}\\/$`),
      allow: LIST_ALLOW,
      methods: { GET: list, POST: create },
      guard: writersOnly,
    },
    {
      pattern: new RegExp(`^${BASE}\\/([^/.]+)\\/$`),
      allow: DETAIL_ALLOW,
      methods: { GET: detail, PUT: update, PATCH: update, DELETE: remove },
      guard: writersOnly,
    },
    {
      pattern: new RegExp(`^${BASE}\\/([^/.]+)\\/status\\/$`),
      allow: 'GET, HEAD, OPTIONS',
      methods: { GET: status },
    },
    {
      pattern: new RegExp(`^${BASE}\\/([^/.]+)\\/register_pipelines\\/$`),
      allow: ACTION_ALLOW,
      methods: { POST: registerFromEndpoint },
      guard: writersOnly,
    },
    ...(dialect === 'api-key' ? keys : []),
  ];
}
