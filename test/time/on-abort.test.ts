import { getEventListeners } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { onAbort } from '../../src/time/on-abort.js';

describe('onAbort', () => {
  it('tells everybody who waits, once, and nobody who left', () => {
    const controller = new AbortController();
    const [stays, leaves, alsoStays] = [vi.fn(), vi.fn(), vi.fn()];
    onAbort(controller.signal, stays);
    const leave = onAbort(controller.signal, leaves);
    const late = onAbort(controller.signal, alsoStays);
    leave();
    controller.abort();
    controller.abort();
    late();
    expect(stays).toHaveBeenCalledOnce();
    expect(alsoStays).toHaveBeenCalledOnce();
    expect(leaves).not.toHaveBeenCalled();
  });

  it('does not tell who leaves while the others are told', () => {
    const controller = new AbortController();
    const second = vi.fn();
    onAbort(controller.signal, () => {
      leave();
    });
    const leave = onAbort(controller.signal, second);
    controller.abort();
    expect(second).not.toHaveBeenCalled();
  });

  it('has one listener on the signal, however many wait, and none once the last has left', () => {
    const { signal } = new AbortController();
    const listeners = (): number => getEventListeners(signal, 'abort').length;
    const leave = Array.from({ length: 50 }, () => onAbort(signal, () => undefined));
    expect(listeners()).toBe(1);
    for (const one of leave) one();
    for (const one of leave) one();
    expect(listeners()).toBe(0);
    const again = vi.fn();
    onAbort(signal, again);
    expect(listeners()).toBe(1);
  });
});
