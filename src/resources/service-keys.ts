import { z } from 'zod';
import { Secret } from '../auth/secret.js';
import { leftOutOf, noteLeftOut } from '../contract/answer.js';
import type { ProcessingService } from '../contract/processing-services.js';
import {
  createServiceRequestSchema,
  createServiceResponseSchema,
  generateKeyResponseSchema,
  type CreateServiceRequest,
  type CreateServiceResponse,
} from '../contract/service-keys.js';
import { AntennaApiError } from '../errors/api.js';
import type { Id } from '../errors/arguments.js';
import type { Operation, RequestOptions } from '../http/operation.js';
import { checkRequest, idOrNull, type ResourceCore } from './core.js';

const BASE = '/ml/processing_services/';
const CREATE: Operation<CreateServiceResponse> = {
  id: 'processingServices.create',
  method: 'POST',
  path: BASE,
  // Names are not unique: a second try makes a second service, and an ambiguous name breaks registration.
  replay: 'never',
  response: createServiceResponseSchema,
};
const GENERATE_KEY: Operation<{ api_key: string; prefix: string; message?: string | undefined }> = {
  id: 'processingServices.generateKey',
  method: 'POST',
  path: `${BASE}{id}/generate_key/`,
  // Each call revokes the key that the call before it returned.
  replay: 'never',
  response: generateKeyResponseSchema,
  sensitive: true,
};

const KEY_ROUTE: Operation<unknown> = {
  id: 'processingServices.supportsKeys',
  method: 'GET',
  // No service has the id 0, and the route takes POST alone: a server that has it says 405, one without keys says 404.
  path: `${BASE}0/generate_key/`,
  replay: 'always',
  response: z.unknown(),
};

/** A new API key: its public prefix, and the key itself, unprintable. */
export interface GeneratedKey {
  readonly prefix: string;
  readonly api_key: Secret;
  readonly message: string | undefined;
}

/** What {@link ProcessingServicesResource.create} does. This file is loaded with the first call that makes a service or a key: few programs do. */
export async function createService(
  core: ResourceCore,
  projectId: Id,
  request: CreateServiceRequest,
  options?: RequestOptions,
): Promise<ProcessingService> {
  const body = checkRequest(createServiceRequestSchema, request, 'Invalid processing service');
  const query = { project_id: idOrNull(projectId) };
  const answer = await core.http.request(CREATE, { query, body }, options);
  return noteLeftOut(answer.instance, leftOutOf(answer));
}

/** What {@link ProcessingServicesResource.generateKey} does. */
export async function generateKey(
  core: ResourceCore,
  projectId: Id,
  serviceId: Id,
  options?: RequestOptions,
): Promise<GeneratedKey> {
  const input = { params: { id: serviceId }, query: { project_id: idOrNull(projectId) } };
  const answer = await core.http.request(GENERATE_KEY, input, options);
  return { prefix: answer.prefix, api_key: new Secret(answer.api_key), message: answer.message };
}

/** What {@link ProcessingServicesResource.supportsKeys} does. */
export async function supportsKeys(core: ResourceCore, options?: RequestOptions): Promise<boolean> {
  try {
    await core.http.request(KEY_ROUTE, {}, options);
  } catch (error) {
    if (!(error instanceof AntennaApiError) || error.status >= 500 || error.status === 429) throw error;
    // A route that is unknown is a page of HTML; whatever the route itself says is JSON.
    return error.status !== 404 || error.body !== undefined;
  }
  return true;
}
