import type { ResponseRecord } from '../messages.js';
import type { Antenna } from '../antenna.js';
import { imageIdsOf, processResult } from '../jobs/results.js';
import type { JobRow } from '../state/rows.js';
import { wait } from '../time/clock.js';
import { clientInfo } from '../validate/client-info.js';
import { FieldReader } from '../validate/fields.js';
import { isPostedError, postedResults } from '../validate/result-schema.js';
import type { PostedResult } from '../validate/result-schema.js';
import { demand, mayWork } from '../wire/access.js';
import type { Call } from '../wire/call.js';
import { json } from '../wire/respond.js';
import { jobHeartbeat } from './heartbeat.js';
import { findJob } from './lookup.js';

/**
 * `POST jobs/{id}/result/` (contract §4.13): permission before body, all or nothing, and 200 means queued. There is no
 * check of job status, dispatch mode, pipeline, or that the reply subjects belong to the job.
 */
export async function postResult(call: Call): Promise<ResponseRecord> {
  const { job, project } = findJob(call);
  demand(mayWork(call.caller, project, job), call.caller);
  const fields = new FieldReader(call.body.data);
  const posted = fields.schema('results', postedResults, { required: true }) ?? [];
  const info = fields.schema('client_info', clientInfo);
  fields.done();

  const { antenna } = call;
  if (antenna.outages.brokerDelayMs !== null && posted.length > 0) {
    await wait(antenna.clock, antenna.outages.brokerDelayMs);
    return json(503, { status: 'error', job_id: job.id, detail: 'Task queue temporarily unavailable' });
  }
  jobHeartbeat(call, job, info);
  for (const item of posted) accept(antenna, job, item);
  return json(200, {
    status: 'accepted',
    job_id: job.id,
    results_queued: posted.length,
    tasks: posted.map((item) => ({
      reply_subject: item.reply_subject,
      status: 'queued',
      task_id: antenna.random.uuid(),
    })),
  });
}

function accept(antenna: Antenna, job: JobRow, posted: PostedResult): void {
  const imageIds = imageIdsOf(posted);
  const outcome = isPostedError(posted.result) ? 'error' : 'success';
  for (const id of imageIds.length > 0 ? imageIds : ['']) {
    job.ledger.record('posted', id, { replySubject: posted.reply_subject, outcome });
  }
  const receipt = job.receipts.open(posted, imageIds);
  const save = (): void => {
    receipt.outcome = processResult(antenna, job, posted);
  };
  antenna.background.enqueue(antenna.settings.saveDelayMs, () => {
    if (!antenna.saving.add(save)) save();
  });
}
