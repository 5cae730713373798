import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createRig, drive } from './rig.js';

const scores = (count: number): number[] => Array.from({ length: count }, (_, index) => (index + 1) / 1_000);

/** A result of about so many bytes. */
function resultOf(bytes: number) {
  const detections = Array.from({ length: Math.max(1, Math.ceil(bytes / 400)) }, (_, index) => ({
    bbox: { x1: index, y1: 1, x2: index + 5, y2: 9 },
    classifications: [{ scores: scores(2), logits: scores(2) }],
  }));
  return { detections };
}

describe('T9 a proxy that limits bodies', () => {
  it.each([64, 256, 1_024])('of %i KiB gets everything, and never the same body twice', async (kib) => {
    const maxBytes = kib * 1024;
    const rig = createRig();
    const job = rig.job(60);
    rig.server.faults.tooLarge({ maxBytes }, { route: 'result' });
    const refused = new Map<string, number>();
    rig.server.faults.intervene(
      async (request, next) => {
        const reply = await next();
        if (reply.kind === 'answer' && reply.response.status === 413) {
          const hash = createHash('sha256').update(request.body).digest('hex');
          refused.set(hash, (refused.get(hash) ?? 0) + 1);
        }
        return reply;
      },
      { route: 'result' },
    );
    // Most are far below the cap, one image of ten is above it alone.
    const worker = rig.worker({
      definition: {
        process: ({ id }) => resultOf(Number(id) % 10 === 0 ? 1.5 * maxBytes : maxBytes / 8),
      },
    });
    const report = await drive(rig.clock, worker.run({ until: 'drained', handleSignals: false }), {
      stepMs: 1_000,
    });
    rig.server.settle();
    expect(job.counts).toMatchObject({ processed: 60, failed: 6 });
    expect(report).toMatchObject({ posted: 60, succeeded: 54, failed: 6 });
    expect(Math.max(0, ...refused.values())).toBeLessThanOrEqual(1);
    const tooLarge = job.results.filter(({ result }) => 'error' in result);
    for (const { result } of tooLarge) expect(JSON.stringify(result)).toContain('result too large');
    // The cap is learned: refusals do not go on post after post.
    expect(refused.size).toBeLessThanOrEqual(6 + 12);
  });
});
