import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  AntennaConfigError,
  AttachedExecutor,
  pipelinesFromAttached,
  type AttachedExecutorOptions,
} from 'antenna-sdk';
import { helperPath } from 'antenna-sdk/python';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { frameHead } from '../../../../src/worker/executors/command/frames.js';
import { leaksOf } from '../../../support/leaks.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { contextOf, imagesOf, listeningLogger, read, wentWell } from '../support.js';
import { pythonHas } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'antenna-attach-'));
const ends: (() => unknown)[] = [];
let sockets = 0;

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function waiting(options: Partial<AttachedExecutorOptions> = {}): {
  executor: AttachedExecutor;
  path: string;
} {
  const path = join(folder, `${sockets++}.sock`);
  const executor = new AttachedExecutor({ listen: path, ...options });
  ends.push(() => executor.close());
  return { executor, path };
}

interface Message {
  readonly type: string;
  readonly call?: number;
  readonly reason?: string;
  readonly images?: readonly { readonly id: string; readonly bytes: number }[];
}

/** A handler that somebody runs elsewhere, message by message. */
class Visitor {
  readonly socket: Socket;
  readonly heard: Message[] = [];
  #rest = Buffer.alloc(0);

  constructor(address: string) {
    const url = address.startsWith('tcp:') ? new URL(address) : undefined;
    this.socket = url ? connect(Number(url.port), url.hostname) : connect(address);
    this.socket.on('error', () => undefined);
    this.socket.on('data', (chunk: Buffer) => {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      while (this.#rest.length >= 12) {
        const header = this.#rest.readUInt32BE(4);
        const all = 12 + header + this.#rest.readUInt32BE(8);
        if (this.#rest.length < all) return;
        this.heard.push(JSON.parse(this.#rest.toString('utf8', 12, 12 + header)) as Message);
        this.#rest = this.#rest.subarray(all);
      }
    });
    ends.push(() => this.socket.destroy());
  }

  say(...messages: readonly object[]): this {
    for (const message of messages) this.socket.write(frameHead(message));
    return this;
  }

  attach(hello: object = {}): this {
    return this.say({ type: 'hello', protocol: 1, ...hello }, { type: 'ready', mode: 'batch' });
  }

  /** Waits for a message. */
  async hears(type: string): Promise<Message> {
    await expect
      .poll(() => this.heard.some((message) => message.type === type), { timeout: 5_000 })
      .toBe(true);
    return this.heard.find((message) => message.type === type) ?? { type };
  }

  /** Answers the call that it has. */
  async works(): Promise<void> {
    const { call, images = [] } = await this.hears('process');
    for (const { id } of images)
      this.say({ type: 'answer', call, id, result: { detections: [], by: 'visitor' } });
    this.say({ type: 'done', call });
  }
}

describe('a worker that waits for a handler', () => {
  it('takes no task before one is there, and lets only its own user in', async () => {
    const { executor, path } = waiting();
    expect(executor.unavailable()).toMatch(/no handler is attached/);
    await executor.listen();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const warm = executor.warmUp(contextOf());
    new Visitor(path).attach();
    await warm;
    expect(executor.unavailable()).toBeUndefined();
    await executor.close();
    expect(() => statSync(path)).toThrow(/ENOENT/);
  });

  it('stops waiting when it is told to stop, without a fault', async () => {
    const { executor } = waiting();
    const stopping = new AbortController();
    const warm = executor.warmUp({ ...contextOf(), stopping: stopping.signal });
    stopping.abort();
    await expect(warm).resolves.toBeUndefined();
  });

  it('gives the images of a handler that leaves, or is replaced, to the next one', async () => {
    const { executor, path } = waiting();
    const work = executor.run(imagesOf('a', 'b'), contextOf());
    await executor.listen();
    const first = new Visitor(path).attach();
    await first.hears('process');
    first.say({ type: 'bye', reason: 'interrupted' });
    await expect.poll(() => executor.unavailable()).toBeDefined();
    const second = new Visitor(path).attach();
    await second.hears('process');
    const third = new Visitor(path).attach();
    expect((await second.hears('bye')).reason).toMatch(/another handler took its place/);
    await third.works();
    expect(read(await work)).toEqual([
      { detections: [], by: 'visitor' },
      { detections: [], by: 'visitor' },
    ]);
    expect(executor.stats()).toMatchObject({ crashes: 0, busy: 0 });
  });

  it('gives back the call that it was sent ahead as well, when it leaves', async () => {
    const { executor, path } = waiting();
    const works = ['a', 'b'].map((word) => executor.run(imagesOf(word), contextOf()));
    await executor.listen();
    const calls = ({ heard }: Visitor): Message[] => heard.filter(({ type }) => type === 'process');
    const visit = (): Visitor =>
      new Visitor(path).say({ type: 'hello', protocol: 1 }, { type: 'ready', mode: 'batch', ahead: 1 });
    const first = visit();
    // The second call may have come before this handler said that it takes one ahead: then it waits here.
    await first.hears('process');
    first.say({ type: 'bye', reason: 'interrupted' });
    await expect.poll(() => executor.unavailable()).toBeDefined();
    const second = visit();
    for (const number of [1, 2]) {
      await expect.poll(() => calls(second).length, { timeout: 5_000 }).toBeGreaterThanOrEqual(number);
      const { call, images = [] } = calls(second)[number - 1] ?? { type: 'none' };
      for (const { id } of images) second.say({ type: 'answer', call, id, result: { detections: [] } });
      second.say({ type: 'done', call });
    }
    expect(wentWell((await Promise.all(works)).flat())).toEqual([true, true]);
    expect(executor.stats()).toMatchObject({ crashes: 0, busy: 0 });
  });

  it('does not believe one that was replaced any more', async () => {
    const { executor, path } = waiting();
    const work = executor.run(imagesOf('a'), contextOf());
    await executor.listen();
    const old = new Visitor(path).attach();
    const { call } = await old.hears('process');
    const young = new Visitor(path).attach();
    await young.hears('process');
    old.say(
      { type: 'answer', call, id: 'img-0', result: { detections: [], by: 'the old one' } },
      { type: 'done', call },
    );
    await young.works();
    expect(read(await work)).toEqual([{ detections: [], by: 'visitor' }]);
  });

  it('tries the images of one that died in halves, as those of a process', async () => {
    const { executor, path } = waiting();
    const work = executor.run(imagesOf('a', 'b'), contextOf());
    await executor.listen();
    const dying = new Visitor(path).attach();
    await dying.hears('process');
    dying.socket.destroy();
    for (let turn = 0; turn < 2; turn++) {
      const visitor = new Visitor(path).attach();
      expect((await visitor.hears('process')).images).toHaveLength(1);
      await visitor.works();
      if (turn === 0)
        await expect.poll(() => visitor.heard.filter(({ type }) => type === 'process').length).toBe(2);
      if (turn === 0) visitor.say({ type: 'bye' });
    }
    expect(wentWell(await work)).toEqual([true, true]);
  });

  it('gives up one that hangs, tells it so, and goes on with the next', async () => {
    const clock = new ManualClock();
    const { executor, path } = waiting({ clock, timeoutMs: 60_000 });
    const work = executor.run(imagesOf('a'), contextOf({ timeoutMs: 300_000 }));
    await executor.listen();
    const visitor = new Visitor(path).attach();
    await visitor.hears('process');
    clock.advance(60_000);
    expect(await visitor.hears('cancel')).toMatchObject({ reason: 'timeout' });
    clock.advance(1_000);
    expect(wentWell(await work)).toEqual([false]);
  });

  it('ends when it is closed while images wait for somebody, and gives them up as at any shutdown', async () => {
    const { executor } = waiting();
    const work = executor.run(imagesOf('a'), contextOf());
    await executor.listen();
    await executor.close();
    expect((await work)[0]).toMatchObject({
      ok: false,
      error: { name: 'HandlerAbortError', kind: 'shutdown' },
    });
  });

  it('closes the door to strangers: a wrong token, another version, silence, noise', async () => {
    const clock = new ManualClock();
    const { executor } = waiting({ listen: { token: 'a-token-of-this-test' }, clock });
    const address = await executor.listen();
    expect(address).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
    const wrong = new Visitor(address).attach({ token: 'guessed-guessed-guessed' });
    expect((await wrong.hears('bye')).reason).toMatch(/token is missing or wrong/);
    const newer = new Visitor(address).attach({ protocol: 2, token: 'a-token-of-this-test' });
    expect((await newer.hears('bye')).reason).toMatch(/version 2/);
    const silent = new Visitor(address);
    await new Promise((resolve) => silent.socket.once('connect', resolve));
    await expect.poll(() => clock.pending).toBeGreaterThan(0);
    clock.advance(10_000);
    clock.advance(1_000);
    await expect.poll(() => silent.socket.destroyed, { timeout: 5_000 }).toBe(true);
    expect(executor.unavailable()).toBeDefined();
    new Visitor(address).attach({ token: executor.revealToken() });
    await executor.warmUp();
  });

  it('makes a token that nobody guesses, and shows it nowhere', async () => {
    const { logger, lines } = listeningLogger();
    const { executor } = waiting({ listen: {}, logger });
    const address = await executor.listen();
    const token = executor.revealToken() ?? '';
    expect(token).toMatch(/^[0-9a-f]{48}$/);
    new Visitor(address).attach({ token: `${token}x` });
    await expect.poll(() => lines.length).toBeGreaterThan(0);
    expect(leaksOf(executor, [token])).toEqual([]);
    expect(lines.join('\n')).not.toContain(token);
    expect(() => new AttachedExecutor({ listen: { token: 'short' } })).toThrow(AntennaConfigError);
  });

  it('replaces the socket of a dead worker, and refuses to push a living one aside', async () => {
    const { executor, path } = waiting();
    await executor.listen();
    const other = new AttachedExecutor({ listen: path });
    await expect(other.listen()).rejects.toThrow(/another worker waits/);
    await other.close();
    expect(statSync(path).isSocket()).toBe(true);
    const file = join(folder, 'a-file');
    writeFileSync(file, 'precious');
    const wrong = new AttachedExecutor({ listen: file });
    await expect(wrong.listen()).rejects.toThrow(/is no socket/);
    const stale = join(folder, 'stale.sock');
    const code = `require('net').createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, 'SIGKILL'))`;
    await new Promise((resolve) => spawn(process.execPath, ['-e', code]).once('exit', resolve));
    const next = new AttachedExecutor({ listen: stale });
    ends.push(() => next.close());
    await expect(next.listen()).resolves.toBe(stale);
  });
});

const CELL = `
import sys, time
from antenna_handler import attach, pipeline
mark = sys.argv[2]
def process(image, task):
    task.log("has " + image.decode() + " in " + mark)
    if mark == "slow":
        time.sleep(60)
    return {"detections": [], "by": mark}
attach(process, sys.argv[1], pipelines=[pipeline("cell-moths", detector="cell-box")])
print("the cell ended")
`;
import { orSkipped } from '../../../support/or-skipped.js';

describe.skipIf(!pythonHas())(
  orSkipped('attach() of antenna_handler.py', pythonHas(), 'no python3 of 3.9 or newer'),
  () => {
    function cell(
      path: string,
      mark: string,
    ): { child: ChildProcess; output: () => string; ended: Promise<unknown> } {
      const file = join(folder, 'cell.py');
      writeFileSync(file, CELL);
      const child = spawn('python3', ['-u', file, path, mark], {
        env: { ...process.env, PYTHONPATH: dirname(helperPath) },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
      const ended = new Promise((resolve) => child.once('exit', resolve));
      ends.push(() => child.kill('SIGKILL'));
      return { child, output: () => output, ended };
    }

    it('works until it is interrupted; the image in hand waits for the next cell, which it gets', async () => {
      const { logger, said } = listeningLogger();
      const { executor, path } = waiting({ logger });
      const slow = cell(path, 'slow');
      const work = executor.run(imagesOf('moth'), contextOf({ logger }));
      await said('has moth in slow');
      slow.child.kill('SIGINT');
      await slow.ended;
      expect(slow.output()).toMatch(/interrupted; the worker keeps the images[^]*the cell ended/);
      const quick = cell(path, 'quick');
      expect(read(await work)).toEqual([{ detections: [], by: 'quick' }]);
      expect(executor.stats().crashes).toBe(0);
      await executor.close();
      await quick.ended;
      expect(quick.output()).toMatch(/detached: the worker ends[^]*the cell ended/);
    });

    it('is there before its worker, and says what it can do', async () => {
      const path = join(folder, 'later.sock');
      cell(path, 'early');
      const [pipeline, ...others] = await pipelinesFromAttached({ listen: path });
      expect([pipeline?.slug, others.length]).toEqual(['cell-moths', 0]);
      const executor = pipeline?.createExecutor(undefined as never);
      expect(read((await executor?.run(imagesOf('a'), contextOf())) ?? [])).toEqual([
        { detections: [], by: 'early' },
      ]);
      await executor?.close();
    });
  },
);
