import { createJobRequestSchema, type CreateJobRequest } from '../contract/create-job.js';
import { jobSchema, type Job } from '../contract/jobs.js';
import { checkOptions, isBoolean } from '../errors/arguments.js';
import type { Operation, RequestOptions } from '../http/operation.js';
import { REQUEST_OPTIONS } from '../http/request-parts.js';
import { checkRequest, type ResourceCore } from './core.js';

const CREATE: Operation<Job> = {
  id: 'jobs.create',
  method: 'POST',
  path: '/jobs/',
  replay: 'never',
  response: jobSchema,
};

/** What {@link JobsResource.create} does. This file is loaded with the first job that is made: workers make none. */
export async function createJob(
  core: ResourceCore,
  request: CreateJobRequest,
  given: RequestOptions & { start?: boolean },
): Promise<Job> {
  checkOptions('Invalid arguments', given, { ...REQUEST_OPTIONS, start: isBoolean });
  const { start = false, ...options } = given;
  const body = checkRequest(createJobRequestSchema, request, 'Invalid job');
  return core.http.request(CREATE, { body, query: start ? { start_now: true } : {} }, options);
}
