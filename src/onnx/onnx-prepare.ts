/** The file that a preparing thread runs: it decodes images, makes inputs of them, and boxes of outputs. */
import { parentPort, type MessagePort } from 'node:worker_threads';
import { fromWireError, toWireError } from '../worker/executors/wire-error.js';
import { ByteBudget } from './byte-budget.js';
import { Decoder } from './decode.js';
import type { AskModel } from './detect.js';
import type { ModelReply, ModelRequest } from './model-queue.js';
import { namedOutOfMemory } from './out-of-memory.js';
import { processImage, type ImageTools, type ImageToProcess } from './process-image.js';
import type { FromPrepare, SessionReply, ToPrepare } from './thread-messages.js';

const tell = (message: FromPrepare): void => {
  parentPort?.postMessage(message);
};

/** Images in work at the same time in a thread: one is decoded while the other's inputs run. */
const IMAGES_AT_ONCE = 3;

/** One session thread, as this one sees it. */
class SessionLink {
  readonly #port: MessagePort;
  readonly #open = new Map<
    number,
    { readonly resolve: (reply: ModelReply) => void; readonly reject: (error: Error) => void }
  >();
  #next = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (message: SessionReply) => {
      const waiting = this.#open.get(message.id);
      this.#open.delete(message.id);
      if ('reply' in message) waiting?.resolve(message.reply);
      else waiting?.reject(fromWireError(message.error));
    });
  }

  get load(): number {
    return this.#open.size;
  }

  ask(request: ModelRequest): Promise<ModelReply> {
    const id = (this.#next += 1);
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject });
      this.#port.postMessage({ id, request }, [request.data.buffer as ArrayBuffer]);
    });
  }

  close(): void {
    this.#port.close();
  }
}

/** Takes images in the order in which they come, a few at a time. */
class Bench {
  readonly #tools: ImageTools;
  readonly #queue: { readonly id: number; readonly image: ImageToProcess }[] = [];
  readonly #aborts = new Map<number, AbortController>();
  #running = 0;

  constructor(tools: ImageTools) {
    this.#tools = tools;
  }

  add(id: number, image: ImageToProcess): void {
    this.#aborts.set(id, new AbortController());
    this.#queue.push({ id, image });
    this.#pump();
  }

  abort(id: number): void {
    this.#aborts.get(id)?.abort(new Error('nobody waits for this image any more'));
  }

  #pump(): void {
    while (this.#running < IMAGES_AT_ONCE) {
      const next = this.#queue.shift();
      if (!next) return;
      this.#running += 1;
      void this.#work(next.id, next.image);
    }
  }

  async #work(id: number, image: ImageToProcess): Promise<void> {
    const { signal } = this.#aborts.get(id) ?? new AbortController();
    try {
      signal.throwIfAborted();
      tell({ type: 'done', id, ...(await processImage(image, this.#tools, signal)) });
    } catch (error) {
      tell({ type: 'error', id, error: toWireError(namedOutOfMemory(error)) });
    } finally {
      this.#aborts.delete(id);
      this.#running -= 1;
      this.#pump();
    }
  }
}

async function main(): Promise<void> {
  const { default: sharp } = await import('sharp');
  let bench: Bench | undefined;
  let links: SessionLink[] = [];
  const ask: AskModel = (request) => {
    const [free] = [...links].sort((a, b) => a.load - b.load);
    if (!free) throw new Error('there is no session');
    return free.ask(request);
  };
  parentPort?.on('message', (message: ToPrepare) => {
    if (message.type === 'plan') {
      links = message.ports.map((port) => new SessionLink(port));
      const budget = new ByteBudget(message.memoryBytes);
      const now = (): number => performance.now();
      bench = new Bench({ plan: message.plan, decoder: new Decoder(sharp), ask, budget, now });
      tell({ type: 'ready' });
    } else if (message.type === 'image') bench?.add(message.id, message.image);
    else if (message.type === 'abort') bench?.abort(message.id);
    else {
      for (const link of links) link.close();
      parentPort?.close();
    }
  });
}

main().catch((error: unknown) => {
  tell({ type: 'failed', error: toWireError(error) });
});
