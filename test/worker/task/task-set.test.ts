import { describe, expect, it } from 'vitest';
import { TaskSet } from '../../../src/worker/task/task-set.js';

describe('TaskSet', () => {
  it('is idle once all work has ended, including what was started meanwhile and what failed', async () => {
    const errors: unknown[] = [];
    const done: string[] = [];
    const tasks = new TaskSet((error) => errors.push(error));
    await tasks.idle();
    tasks.start(async () => {
      await Promise.resolve();
      tasks.start(async () => {
        await Promise.resolve();
        done.push('second');
      });
      done.push('first');
    });
    tasks.start(async () => {
      throw new Error('broken');
    });
    expect(tasks.size).toBe(2);
    await tasks.idle();
    expect(done).toEqual(['first', 'second']);
    expect(errors).toEqual([new Error('broken')]);
    expect(tasks.size).toBe(0);
  });
});
