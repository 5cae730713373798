/** The parts of a reply subject (contract §6.3). Clients must treat it as opaque; the queue may not. */
export interface ReplySubject {
  readonly jobId: number;
  /** 1 on first delivery, 2 on the second, and so on. */
  readonly delivery: number;
  /** Position of the task in the job's stream: what an acknowledgement names. */
  readonly streamSequence: number;
}

const FORM = /^\$JS\.ACK\.job_(\d+)\.job-\d+-consumer\.(\d+)\.(\d+)\.\d+\.\d+\.\d+$/;

export function parseReplySubject(subject: string): ReplySubject | undefined {
  const match = FORM.exec(subject);
  if (!match) return undefined;
  return { jobId: Number(match[1]), delivery: Number(match[2]), streamSequence: Number(match[3]) };
}

export function formatReplySubject(parts: {
  jobId: number;
  delivery: number;
  streamSequence: number;
  consumerSequence: number;
  publishedWallMs: number;
  waiting: number;
}): string {
  const nanoseconds =
    String(Math.trunc(parts.publishedWallMs)) + String(parts.streamSequence % 1_000_000).padStart(6, '0');
  return (
    `$JS.ACK.job_${parts.jobId}.job-${parts.jobId}-consumer.` +
    `${parts.delivery}.${parts.streamSequence}.${parts.consumerSequence}.${nanoseconds}.${parts.waiting}`
  );
}
