import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameError, frameHead, FrameReader } from '../../../../src/worker/executors/command/frames.js';
import { readMessage } from '../../../../src/worker/executors/command/messages.js';

function reader() {
  const frames: unknown[] = [];
  const texts: string[] = [];
  const made = new FrameReader({ frame: (header) => frames.push(header), text: (text) => texts.push(text) });
  return { made, frames, texts };
}

describe('frames', () => {
  it('come out as they went in, however the stream is cut', () => {
    const cut = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
    const messages = fc.array(fc.record({ type: fc.string(), text: fc.string({ unit: 'grapheme' }) }));
    fc.assert(
      fc.property(messages, cut, (sent, sizes) => {
        const bytes = Buffer.concat(sent.map((message) => frameHead(message)));
        const { made, frames } = reader();
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          made.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(frames).toEqual(sent);
        expect(made.pendingBytes).toBe(0);
      }),
    );
  });

  it('may follow text that a library printed before the handler began, byte by byte', () => {
    const { made, frames, texts } = reader();
    const stream = Buffer.concat([Buffer.from('loading ANT\nAN'), frameHead({ type: 'hello' })]);
    for (const byte of stream) made.push(Buffer.of(byte));
    expect(frames).toEqual([{ type: 'hello' }]);
    expect(texts.join('')).toBe('loading ANT\nAN');
  });

  it.each([
    ['text', Buffer.from('Epoch 1'), /something else came/],
    ['one wrong byte', Buffer.from('x'), /something else came/],
    ['a header without end', Buffer.from('ANTH\xff\xff\xff\xff\0\0\0\0', 'latin1'), /4294967295 bytes/],
    ['a payload', Buffer.from('ANTH\0\0\0\x02\0\0\0\x01{}x', 'latin1'), /send none/],
    ['NaN', Buffer.from('ANTH\0\0\0\x03\0\0\0\0NaN', 'latin1'), /not JSON/],
  ])('after the first one nothing else may come: %s', (_, bytes, words) => {
    const { made } = reader();
    made.push(frameHead({ type: 'hello' }));
    expect(() => {
      made.push(bytes);
    }).toThrow(FrameError);
    expect(() => {
      reader().made.push(Buffer.concat([frameHead({}), bytes]));
    }).toThrow(words);
  });

  it('join a long header once, however many chunks bring it', () => {
    const { made, frames } = reader();
    const text = 'x'.repeat(4_000_000);
    const bytes = frameHead({ text });
    for (let at = 0; at < bytes.length; at += 65_536) made.push(bytes.subarray(at, at + 65_536));
    expect(frames).toEqual([{ text }]);
  });
});

describe('messages', () => {
  it.each([
    [{ type: 'dance' }, /type "dance" does not fit/],
    [{ type: 'answer', call: 1, id: 7 }, /id: .*string/],
    [{ type: 'done', call: -1 }, /call/],
    [17, /type null does not fit/],
    [null, /does not fit/],
  ])('that do not fit are refused with what is wrong: %j', (message, words) => {
    expect(() => readMessage(message)).toThrow(words);
  });

  it('may have fields that this version does not know', () => {
    expect(readMessage({ type: 'done', call: 1, gpu: 'a100' })).toMatchObject({ type: 'done', call: 1 });
  });
});
