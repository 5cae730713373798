import type { ResponseRecord } from '../messages.js';
import { wait } from '../time/clock.js';
import { clientInfo } from '../validate/client-info.js';
import { FieldReader } from '../validate/fields.js';
import { demand, mayWork } from '../wire/access.js';
import type { Call } from '../wire/call.js';
import { badRequest } from '../wire/refusal.js';
import { json } from '../wire/respond.js';
import { jobHeartbeat } from './heartbeat.js';
import { findJob } from './lookup.js';

/** `POST jobs/{id}/tasks/` (contract §4.12): the body is checked before permission and existence. */
export async function takeTasks(call: Call): Promise<ResponseRecord> {
  const fields = new FieldReader(call.body.data);
  const batchSize = fields.integer('batch_size', { required: true, min: 1 }) ?? 0;
  const info = fields.schema('client_info', clientInfo);
  fields.done();
  const { job, project } = findJob(call);
  demand(mayWork(call.caller, project, job), call.caller);
  if (job.dispatchMode !== 'async_api') throw badRequest(['Only async_api jobs have fetchable tasks']);
  if (job.status !== 'STARTED' && job.status !== 'RETRY') return json(200, { tasks: [] });
  if (!call.store.pipelines.get(job.pipelineId))
    throw badRequest(['This job does not have a pipeline configured']);
  jobHeartbeat(call, job, info);

  const { antenna } = call;
  if (antenna.outages.queueHangMs !== null) {
    await wait(antenna.clock, antenna.outages.queueHangMs);
    return json(503, { error: 'Task queue temporarily unavailable' });
  }
  const deliveries = job.queue?.reserve(batchSize) ?? [];
  for (const { imageId, delivery, replySubject } of deliveries) {
    job.ledger.record('delivered', imageId, { delivery, replySubject });
  }
  // Only a queue that exists and has nothing to give makes the caller wait.
  if (deliveries.length === 0 && job.queue && antenna.settings.emptyWaitMs > 0) {
    await wait(antenna.clock, antenna.settings.emptyWaitMs);
  }
  return json(200, {
    tasks: deliveries.map((task) => ({
      id: task.imageId,
      image_id: task.imageId,
      image_url: task.imageUrl,
      reply_subject: task.replySubject,
    })),
  });
}
