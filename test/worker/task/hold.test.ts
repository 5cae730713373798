import { describe, expect, it } from 'vitest';
import { Hold } from '../../../src/worker/task/hold.js';
import { WorkItem } from '../../../src/worker/task/work-item.js';
import { pipeline } from '../../support/pipelines.js';

const made = pipeline();

function heldItem(hold: Hold, jobId: number, id: string): WorkItem {
  const task = { id, image_id: id, image_url: `https://images.invalid/${id}.jpg`, reply_subject: 'r' };
  const item = new WorkItem(task, { id: jobId, pipeline: made }, { monotonicMs: 0, wallMs: 0 });
  hold.add(item);
  return item;
}

function image(size: number): { readonly bytes: Buffer; readonly contentType: undefined } {
  return { bytes: Buffer.from(new ArrayBuffer(size)), contentType: undefined };
}

describe('Hold', () => {
  it('knows how many bytes of images are in memory, in all and by job', () => {
    const hold = new Hold(() => undefined);
    const [first, second] = [heldItem(hold, 1, 'a'), heldItem(hold, 2, 'b')];
    first.image = image(100);
    second.image = image(30);
    expect([hold.imageBytes(), hold.imageBytesOf(1), hold.imageBytesOf(2)]).toEqual([130, 100, 30]);
    first.image = image(70);
    second.image = undefined;
    expect([hold.imageBytes(), hold.imageBytesOf(1), hold.imageBytesOf(2)]).toEqual([70, 70, 0]);
    hold.settle(first, 'lapsed');
    expect([hold.imageBytes(), hold.imageBytesOf(1)]).toEqual([0, 0]);
  });

  it('counts neither an image that comes after its task left, nor one twice that a thread took over', () => {
    const hold = new Hold(() => undefined);
    const [late, moved] = [heldItem(hold, 1, 'a'), heldItem(hold, 1, 'b')];
    hold.settle(late, 'abandoned');
    late.image = image(100);
    expect(hold.imageBytes()).toBe(0);
    const given = image(50);
    moved.image = given;
    structuredClone(given.bytes.buffer, { transfer: [given.bytes.buffer as ArrayBuffer] });
    expect(given.bytes.length).toBe(0);
    expect(hold.imageBytes()).toBe(50);
    hold.settle(moved, 'posted');
    expect(hold.imageBytes()).toBe(0);
  });
});
