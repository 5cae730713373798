import { z } from 'zod';
import { leftOutOf, noteLeftOut, type WithLeftOut } from '../contract/answer.js';
import { batchSizeSchema } from '../contract/common.js';
import type { ReserveRequest } from '../contract/worker-requests.js';
import { tasksResponseSchema, type Task, type TasksResponse } from '../contract/tasks.js';
import type { Id } from '../errors/arguments.js';
import type { Operation, RequestOptions } from '../http/operation.js';
import { checkRequest, type ResourceCore } from './core.js';

const RESERVE: Operation<TasksResponse> = {
  id: 'tasks.reserve',
  method: 'POST',
  path: '/jobs/{id}/tasks/',
  // Sent twice, the first batch would be leased to nobody; each such loss costs a delivery (traps T4, T5).
  replay: 'if-not-delivered',
  response: tasksResponseSchema,
  list: { name: 'tasks', paged: false },
};

/** What the caller writes, so that an error names the option and not the field on the wire. */
const reserveSchema = z.strictObject({ batchSize: batchSizeSchema });

/** Taking tasks. */
export class TasksResource {
  readonly #core: ResourceCore;

  constructor(core: ResourceCore) {
    this.#core = core;
  }

  /**
   * Reserves up to `batchSize` tasks of a job. Each is invisible to other workers until its visibility timeout; there is no way to
   * extend or return one.
   *
   * An empty answer means nothing in particular: not started, finished, cancelled, all tasks with other workers, or trouble in the
   * server's queue (trap T21). When the queue is down, a 503 arrives after about two minutes; a timeout here means the same,
   * and tasks may have been reserved by then.
   * Tasks that cannot be read are in the array's `leftOut`: they are reserved too, and one whose `item` still names its `image_id` and
   * `reply_subject` can be answered with an error result.
   * @throws AntennaContractError when there are tasks and none of them can be read; its `leftOut` holds them.
   * @throws PermissionDeniedError for a job that this credential may not serve: remember it and leave it alone (trap T15).
   */
  async reserve(
    jobId: Id,
    request: { batchSize: number },
    options?: RequestOptions,
  ): Promise<WithLeftOut<Task[]>> {
    const { batchSize } = checkRequest(reserveSchema, request, 'Invalid reservation');
    const body: ReserveRequest = { batch_size: batchSize, ...withClientInfo(this.#core) };
    const answer = await this.#core.http.request(RESERVE, { params: { id: jobId }, body }, options);
    return noteLeftOut(answer.tasks, leftOutOf(answer));
  }
}

/** The `client_info` field, absent rather than null: null is a 400 for the whole request (trap T35). */
export function withClientInfo(core: ResourceCore): {
  client_info?: NonNullable<ResourceCore['clientInfo']>;
} {
  return core.clientInfo === undefined ? {} : { client_info: core.clientInfo };
}
