import { PassThrough, Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { silentLogger } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { frameHead } from '../../../../src/worker/executors/command/frames.js';
import type { HandlerReady } from '../../../../src/worker/executors/command/messages.js';
import { HandlerPeer } from '../../../../src/worker/executors/command/peer.js';
import type { LinkCall } from '../../../../src/worker/executors/handler-link.js';
import { contextOf, imagesOf } from '../support.js';

/** What the worker sent, cut into messages. */
class Heard extends Writable {
  readonly messages: { readonly type: string; readonly call?: number; readonly reason?: string }[] = [];
  #rest = Buffer.alloc(0);

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 12) {
      const header = this.#rest.readUInt32BE(4);
      const all = 12 + header + this.#rest.readUInt32BE(8);
      if (this.#rest.length < all) break;
      this.messages.push(JSON.parse(this.#rest.toString('utf8', 12, 12 + header)) as { type: string });
      this.#rest = this.#rest.subarray(all);
    }
    done();
  }

  get calls(): (number | undefined)[] {
    return this.messages.filter(({ type }) => type === 'process').map(({ call }) => call);
  }
}

interface Spoken {
  readonly peer: HandlerPeer;
  readonly heard: Heard;
  readonly say: (...messages: readonly object[]) => Promise<void>;
  readonly broken: string[];
}

/** A handler of which a test says every word. */
async function spoken(ready: Partial<HandlerReady> = {}): Promise<Spoken> {
  const input = new PassThrough();
  const heard = new Heard();
  const broken: string[] = [];
  const peer = new HandlerPeer({
    input,
    output: heard,
    logger: silentLogger,
    secrets: [],
    onBroken: (words) => broken.push(words),
    onBye: (reason) => {
      peer.lost(reason);
    },
  });
  const say = async (...messages: readonly object[]): Promise<void> => {
    for (const message of messages) input.write(frameHead(message));
    await turn();
  };
  await say({ type: 'hello', protocol: 1 }, { type: 'ready', mode: 'batch', ...ready });
  return { peer, heard, say, broken };
}

interface Watched {
  readonly call: LinkCall;
  readonly told: string[];
  /** How it ended: the ids with a result, or the name of the error. */
  readonly ended: Promise<string>;
}

function called(peer: HandlerPeer, words: readonly string[], config: Record<string, unknown> = {}): Watched {
  const told: string[] = [];
  const call: LinkCall = {
    unit: imagesOf(...words),
    context: contextOf({ config }),
    timeoutMs: 1_000,
    onQueued: () => told.push('queued'),
    onStarted: () => told.push('started'),
  };
  const ended = peer.run(call).then(
    (outcomes) => outcomes.map(({ ok }) => (ok ? 'well' : 'failed')).join(' '),
    (error: unknown) => (error as Error).name,
  );
  return { call, told, ended };
}

const answer = (call: number, id = 'img-0'): object => ({
  type: 'answer',
  call,
  id,
  result: { detections: [] },
});
const done = (call: number): object => ({ type: 'done', call });

describe('a call ahead', () => {
  it('is sent while another runs, if the handler says that it takes one; a third never is', async () => {
    const { peer, heard, say } = await spoken({ ahead: 5 });
    const calls = ['a', 'b', 'c'].map((word) => called(peer, [word]));
    await turn();
    expect(heard.calls).toEqual([1, 2]);
    await say(answer(1), done(1));
    expect(heard.calls).toEqual([1, 2, 3]);
    await say(answer(2), done(2), answer(3), done(3));
    expect(await Promise.all(calls.map(({ ended }) => ended))).toEqual(['well', 'well', 'well']);
  });

  it('is not sent to a handler that says nothing of it, as those of the first days', async () => {
    const { peer, heard, say } = await spoken();
    const calls = ['a', 'b'].map((word) => called(peer, [word]));
    await turn();
    expect(heard.calls).toEqual([1]);
    await say(answer(1), done(1));
    expect(heard.calls).toEqual([1, 2]);
    await say(answer(2), done(2));
    expect(await Promise.all(calls.map(({ ended }) => ended))).toEqual(['well', 'well']);
  });

  it('has its time from its turn on', async () => {
    const { peer, say } = await spoken({ ahead: 1 });
    const [first, second] = [called(peer, ['a']), called(peer, ['b'])];
    await turn();
    expect([first.told, second.told]).toEqual([['started'], ['queued']]);
    await say(answer(1), done(1));
    expect(second.told).toEqual(['queued', 'started']);
    peer.lost('killed');
    expect(await second.ended).toBe('HandlerCrashError');
  });

  it('comes back untouched when the handler dies under the one before', async () => {
    const { peer } = await spoken({ ahead: 1 });
    const calls = ['a', 'b', 'c'].map((word) => called(peer, [word]));
    await turn();
    peer.lost('killed');
    expect(await Promise.all(calls.map(({ ended }) => ended))).toEqual([
      'HandlerCrashError',
      'CallReturnedError',
      'CallReturnedError',
    ]);
  });

  it('must not be answered before its turn', async () => {
    const { peer, say, broken } = await spoken({ ahead: 1 });
    const calls = ['a', 'b'].map((word) => called(peer, [word]));
    await turn();
    await say(answer(2));
    expect(broken).toEqual([expect.stringMatching(/answered call 2, which is not open/)]);
    expect(await Promise.all(calls.map(({ ended }) => ended))).toEqual([
      'HandlerCrashError',
      'CallReturnedError',
    ]);
  });

  it('that nobody waits for is over at once, and may be answered all the same', async () => {
    const { peer, heard, say, broken } = await spoken({ ahead: 1 });
    const [first, second, third] = ['a', 'b', 'c'].map((word) => called(peer, [word]));
    await turn();
    peer.control({ type: 'abort', kind: 'job_gone' }, second?.call);
    expect(await second?.ended).toBe('HandlerAbortError');
    expect(heard.messages.at(-1)).toEqual({ type: 'cancel', call: 2, reason: 'job_gone' });
    await say(answer(1), done(1));
    // Its handler may work on what nobody waits for; that is part of the next one's time, or nothing would end it.
    expect(third?.told).toEqual(['queued', 'started']);
    await say(answer(2), done(2), answer(3), done(3));
    expect([await first?.ended, await third?.ended, broken]).toEqual(['well', 'well', []]);
  });

  it('that nobody waits for is never sent if it was not yet', async () => {
    const { peer, heard, say } = await spoken();
    const [first, second] = [called(peer, ['a']), called(peer, ['b'])];
    await turn();
    peer.control({ type: 'abort', kind: 'shutdown' }, second.call);
    expect(await second.ended).toBe('HandlerAbortError');
    await say(answer(1), done(1));
    expect([await first.ended, heard.calls]).toEqual(['well', [1]]);
  });

  it('comes back from a handler that leaves and says how far it came', async () => {
    const { peer, say } = await spoken({ ahead: 1 });
    const [first, second] = [called(peer, ['a']), called(peer, ['b'])];
    await turn();
    await say(answer(1), done(1), { type: 'bye', reason: 'SIGTERM', last_call: 1 });
    expect([await first.ended, await second.ended]).toEqual(['well', 'CallReturnedError']);
  });

  it('is written with the buffers of the downloads themselves, which nothing here copies', async () => {
    const { peer, heard, say } = await spoken();
    const written: unknown[] = [];
    heard._writev = (chunks, done) => {
      written.push(...chunks.map(({ chunk }: { readonly chunk: unknown }) => chunk));
      done();
    };
    const { call, ended } = called(peer, ['one image', 'another']);
    await turn();
    for (const { bytes } of call.unit) expect(written.some((chunk) => chunk === bytes)).toBe(true);
    await say(answer(1), answer(1, 'img-1'), done(1));
    expect(await ended).toBe('well well');
  });

  it('stands in nobody’s way when it cannot be written', async () => {
    const { peer, say } = await spoken();
    const broken = called(peer, ['a'], { big: 1n });
    const next = called(peer, ['b']);
    expect(await broken.ended).toBe('TypeError');
    await say(answer(2), done(2));
    expect(await next.ended).toBe('well');
  });
});

describe('a handler that is killed at any byte of anything that it says', () => {
  it('fails the call that it has, loses none, and leaves the next as it was', async () => {
    const ids = ['img-0', 'img-1'];
    const start = Buffer.concat([
      frameHead({ type: 'hello', protocol: 1 }),
      frameHead({ type: 'ready', mode: 'batch', ahead: 1 }),
    ]);
    const work = Buffer.concat([
      frameHead({ type: 'log', level: 'info', message: 'begun' }),
      frameHead({ type: 'progress', done: 1, of: 2 }),
      ...ids.map((id) => frameHead(answer(1, id))),
      frameHead(done(1)),
    ]);
    const all = Buffer.concat([start, work]);
    for (let cut = 0; cut <= all.length; cut++) {
      const input = new PassThrough();
      const output = new Heard();
      const peer = new HandlerPeer({
        input,
        output,
        logger: silentLogger,
        secrets: [],
        onBroken: (words) => {
          throw new Error(words);
        },
      });
      const calls = [called(peer, ['a', 'b']), called(peer, ['c'])];
      input.write(all.subarray(0, Math.min(cut, start.length)));
      await turn();
      input.write(all.subarray(start.length, Math.max(cut, start.length)));
      await turn();
      peer.lost('killed');
      const expected =
        cut < start.length
          ? ['HandlerStartError', 'HandlerStartError']
          : cut < all.length
            ? ['HandlerCrashError', 'CallReturnedError']
            : ['well well', 'HandlerCrashError'];
      expect([cut, ...(await Promise.all(calls.map(({ ended }) => ended)))]).toEqual([cut, ...expected]);
    }
  });
});
