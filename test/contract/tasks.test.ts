import { describe, expect, it } from 'vitest';
import { reserveRequestSchema, tasksResponseSchema } from '../../src/contract/index.js';
import { refusal, without } from './refusal.js';

const task = {
  id: '18',
  image_id: '18',
  image_url: 'https://img.example.org/18.jpg',
  reply_subject: '$JS.ACK.a.1',
};

describe('reserving tasks', () => {
  it('takes a batch size of one or more', () => {
    expect(reserveRequestSchema.parse({ batch_size: 24 })).toEqual({ batch_size: 24 });
    for (const wrong of [0, -1, 1.5, '3', true, null, undefined, Number.NaN]) {
      expect(refusal(reserveRequestSchema, { batch_size: wrong })).toContain('batch_size');
    }
  });

  it('names a misspelt field, which the server would ignore', () => {
    expect(refusal(reserveRequestSchema, { batch: 3 })).toMatch(/"batch"[^]*batch_size/);
    expect(refusal(reserveRequestSchema, { batch_size: 3, processing_service_name: 'w' })).toContain(
      '"processing_service_name"',
    );
  });
});

describe('the tasks answer', () => {
  it('without `tasks` is damage, never "no tasks"', () => {
    for (const body of [{}, { tasks: null }, [], null, '', '<html>', { detail: 'x' }, { results: [] }]) {
      expect(tasksResponseSchema.safeParse(body).success).toBe(false);
    }
    expect(tasksResponseSchema.parse({ tasks: [] }).tasks).toEqual([]);
  });

  it('keeps fields that this version does not know', () => {
    const body = { tasks: [{ ...task, priority: 1 }], queue_depth: 3 };
    expect(tasksResponseSchema.parse(body)).toEqual(body);
  });

  it('gives ids as text whatever the server sends (T41)', () => {
    const [first] = tasksResponseSchema.parse({ tasks: [{ ...task, id: 18, image_id: 18 }] }).tasks;
    expect(first).toMatchObject({ id: '18', image_id: '18' });
  });

  it.each(['id', 'image_id', 'image_url', 'reply_subject'] as const)(
    'with a task that has no `%s` is refused, and the message says which task',
    (key) => {
      expect(refusal(tasksResponseSchema, { tasks: [task, without(task, key)] })).toContain(
        `tasks[1].${key}`,
      );
    },
  );

  it('passes a task `config` on when a server has it, and its absence or null', () => {
    const config = { threshold: 0.5, request_source_image_batch_size: 1 };
    const bodies = [{ ...task, config }, { ...task, config: null }, task];
    expect(tasksResponseSchema.parse({ tasks: bodies }).tasks.map((one) => one.config)).toEqual([
      config,
      null,
      undefined,
    ]);
  });
});
