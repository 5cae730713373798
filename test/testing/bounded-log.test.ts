import { describe, expect, it } from 'vitest';
import { BoundedLog } from '../../src/testing/bounded-log.js';
import { createWorld, post, success, take } from './helpers.js';

describe('what is kept in memory', () => {
  it('is the newest entries up to the limit, and the number let go', () => {
    const log = new BoundedLog<number>(3);
    for (let entry = 1; entry <= 1000; entry++) log.push(entry);
    expect(log.toArray()).toEqual([998, 999, 1000]);
    expect(log.dropped).toBe(997);
    const none = new BoundedLog<number>(0);
    none.push(1);
    expect(none.toArray()).toEqual([]);
  });

  it('stays within the options during a job, while accounts and totals stay complete', async () => {
    const { server, call, project, pipeline } = createWorld({
      requestLimit: 5,
      ledgerLimit: 7,
      resultLimit: 3,
    });
    const job = project.job({ pipeline, images: 40 });
    for (const task of await take(call, job.id, 40)) await post(call, job.id, success(task));
    expect(server.requests).toHaveLength(5);
    expect(job.results).toHaveLength(3);
    expect(job.ledger.events).toHaveLength(7);
    expect(job.ledger.droppedEvents).toBeGreaterThan(100);
    expect(job.ledger.total('counted')).toBe(40);
    expect([...job.ledger.images.values()].every((account) => account.outcome === 'success')).toBe(true);
  });

  it('leaves large bodies out of the request log', async () => {
    const { server, call, project, pipeline } = createWorld();
    const job = project.job({ pipeline, images: 1 });
    const [task] = await take(call, job.id);
    if (!task) throw new Error('a task expected');
    await post(call, job.id, success(task, [1], { note: 'x'.repeat(70_000) }));
    expect(server.requests.at(-1)).toMatchObject({ status: 200, body: undefined });
    expect(server.requests.at(-1)?.bodyBytes).toBeGreaterThan(70_000);
  });
});
