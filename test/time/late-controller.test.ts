import { describe, expect, it } from 'vitest';
import { LateController } from '../../src/time/late-controller.js';

describe('LateController', () => {
  it('hands out one signal, which aborts for the first reason', () => {
    const controller = new LateController();
    const { signal } = controller;
    expect([signal.aborted, controller.signal === signal]).toEqual([false, true]);
    controller.abort('first');
    controller.abort('second');
    expect(signal.reason).toBe('first');
  });

  it('hands out an aborted signal when it is asked afterwards', () => {
    const controller = new LateController();
    controller.abort('first');
    controller.abort('second');
    expect([controller.signal.aborted, controller.signal.reason]).toEqual([true, 'first']);
  });
});
