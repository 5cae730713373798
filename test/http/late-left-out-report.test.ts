import { describe, expect, it } from 'vitest';
import { LeftOut } from '../../src/contract/answer.js';
import { lateLeftOutReport } from '../../src/http/late-left-out-report.js';
import { silentLogger } from '../../src/log/logger.js';

const BAD = [new LeftOut({ path: 'tasks.0', problem: 'has no image', id: '1', item: undefined })];

describe('a report that is loaded late', () => {
  it('has told when it returns, and tells a thing once, be it seen twice while it is loaded', async () => {
    const told: string[] = [];
    const tell = lateLeftOutReport(silentLogger, ({ path }) => told.push(path));
    await Promise.all([
      tell('tasks.reserve', '/jobs/1/tasks/', BAD),
      tell('tasks.reserve', '/jobs/1/tasks/', BAD),
    ]);
    expect(told).toEqual(['tasks.0']);
  });
});
