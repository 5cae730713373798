import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One `/process` request as it came. */
interface SeenCall {
  readonly pipeline: string;
  readonly ids: readonly string[];
  readonly urls: readonly string[];
  readonly config: unknown;
  readonly detections: unknown;
}

/** How the fake behaves beyond what the four services do; each may be changed while it runs. */
export interface FakeBehaviour {
  /** Answers of `/info`; a list to read from, so that a test can change it. */
  info: unknown;
  /** Readiness: `/readyz` answers 503 while false. */
  isReady: boolean;
  /** Pictures of different sizes in one call fail, as in ADC. */
  failsOnMixedSizes: boolean;
  /** Called with the number of images of each call, before it is answered: a place for a price. */
  onCall: (images: number) => void | Promise<void>;
  /** Answers a call instead of the fake, if it returns true. */
  override: (call: SeenCall, response: ServerResponse) => boolean;
  /** Changes an answer before it is sent. */
  edit: (answer: FakeAnswer) => unknown;
}

/** The answer that would be sent. */
interface FakeAnswer {
  pipeline: string;
  total_time: number;
  algorithms: object;
  source_images: { id: string; url: string; [key: string]: unknown }[];
  detections: Record<string, unknown>[];
}

/** A push service on a real socket. */
export interface FakePushService {
  readonly url: string;
  readonly calls: readonly SeenCall[];
  /** Every request, `/process` included. */
  readonly requests: readonly string[];
  readonly behaviour: FakeBehaviour;
  /** Largest number of requests that were worked on at once. */
  readonly overlap: number;
  /** Calls that hang now. One that has only come may still fetch its images: released too early, it would hang for good. */
  readonly hanging: number;
  /** Ends calls that hang. */
  release(): void;
  /** Closes the port, as a service that was killed. */
  down(): Promise<void>;
  /** Listens again on the same port. */
  up(): Promise<void>;
  close(): Promise<void>;
}

/** What MIN says of itself. */
export const FAKE_INFO = {
  name: 'Fake service',
  description: 'for tests',
  pipelines: [
    {
      name: 'Fake moths',
      slug: 'fake_moths',
      version: 1,
      description: null,
      algorithms: [
        {
          name: 'Fake box',
          key: 'fake_box',
          task_type: 'localization',
          version: 1,
          category_map: { data: [], labels: [], version: null, description: null, uri: null },
        },
        {
          name: 'Fake species',
          key: 'fake_species',
          task_type: 'classification',
          version: 1,
          category_map: {
            data: [
              { index: 0, label: 'Actias luna' },
              { index: 1, label: 'Arctia caja' },
            ],
            labels: ['Actias luna', 'Arctia caja'],
          },
        },
      ],
      stages: [],
    },
  ],
};

/**
 * A push service that behaves as MIN, EX and ADC do (PUSH_API): it blocks while it works, so that nothing else is answered; redirects
 * `/process/`; answers 422 with a list to what does not fit, 500 for a whole request with one bad image. What an image's bytes say
 * decides: `poison` and `nan` are a 500, `oom` a 422 with words of memory, `refuse` a 422 with other words, `hang` never ends, `die` breaks off in mid-answer and closes the port.
 */
export async function fakePushService(changes: Partial<FakeBehaviour> = {}): Promise<FakePushService> {
  const fake = new Fake(changes);
  await fake.up();
  return fake;
}

class Fake implements FakePushService {
  readonly calls: SeenCall[] = [];
  readonly requests: string[] = [];
  readonly behaviour: FakeBehaviour;
  overlap = 0;
  #working = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #server: Server | undefined;
  #port = 0;
  #releases = new Set<() => void>();

  constructor(changes: Partial<FakeBehaviour>) {
    this.behaviour = {
      info: FAKE_INFO,
      isReady: true,
      failsOnMixedSizes: false,
      onCall: () => undefined,
      override: () => false,
      edit: (answer) => answer,
      ...changes,
    };
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get hanging(): number {
    return this.#releases.size;
  }

  release(): void {
    for (const release of this.#releases) release();
    this.#releases.clear();
  }

  async up(): Promise<void> {
    if (this.#server) return;
    const server = createServer((request, response) => {
      this.requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
      // One event loop, blocked: who comes later waits.
      this.#turn = this.#turn.then(() => this.#serve(request, response)).catch(() => undefined);
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
  }

  async down(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.release();
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  close(): Promise<void> {
    return this.down();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?')[0];
    this.#working += 1;
    this.overlap = Math.max(this.overlap, this.#working);
    try {
      if (path === '/livez') json(response, 200, { status: true });
      else if (path === '/readyz')
        json(response, this.behaviour.isReady ? 200 : 503, {
          status: this.behaviour.isReady ? ['fake_moths'] : [],
        });
      else if (path === '/info') json(response, 200, this.behaviour.info);
      else if (path === '/process/') response.writeHead(307, { location: '/process' }).end();
      else if (path === '/process' && request.method === 'POST')
        await this.#process(await read(request), response);
      else if (path === '/process') json(response, 405, { detail: 'Method Not Allowed' });
      else json(response, 404, { detail: 'Not Found' });
    } finally {
      this.#working -= 1;
    }
  }

  async #process(text: string, response: ServerResponse): Promise<void> {
    const body = JSON.parse(text) as Record<string, unknown>;
    const issues = this.#issues(body);
    if (issues.length > 0) {
      json(response, 422, { detail: issues });
      return;
    }
    const images = body['source_images'] as { id: string; url: string }[];
    const call: SeenCall = {
      pipeline: String(body['pipeline']),
      ids: images.map(({ id }) => id),
      urls: images.map(({ url }) => url),
      config: body['config'],
      detections: body['detections'],
    };
    this.calls.push(call);
    await this.behaviour.onCall(images.length);
    if (this.behaviour.override(call, response)) return;
    const texts: string[] = [];
    for (const { url } of images) {
      const got = await fetch(url).catch(() => undefined);
      if (!got?.ok || new URL(url).pathname.endsWith('/')) {
        response.writeHead(500, { 'content-type': 'text/plain' }).end('Internal Server Error');
        return;
      }
      texts.push(Buffer.from(await got.arrayBuffer()).toString('latin1'));
    }
    const has = (word: string): boolean => texts.some((one) => one.includes(word));
    if (has('hang')) await new Promise<void>((resolve) => this.#releases.add(resolve));
    if (response.destroyed) return;
    const sizes = new Set(texts.map((one) => one.slice(16, 24)));
    if (has('poison') || has('nan') || (this.behaviour.failsOnMixedSizes && sizes.size > 1))
      response.writeHead(500, { 'content-type': 'text/plain' }).end('Internal Server Error');
    else if (has('oom')) json(response, 422, { detail: 'CUDA out of memory. Tried to allocate 2 GiB' });
    else if (has('refuse')) json(response, 422, { detail: 'No candidate labels are provided\nsecond line' });
    else if (has('die')) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
      response.write('{"pipeline":');
      setImmediate(() => void this.down());
    } else
      json(
        response,
        200,
        this.behaviour.edit(
          answerOf(
            call,
            images,
            texts.map((one) => one.length),
          ),
        ),
      );
  }

  /** What pydantic would say, `input` with the URLs included. */
  #issues(body: Record<string, unknown>): object[] {
    const issues: object[] = [];
    const slugs = (this.behaviour.info as typeof FAKE_INFO).pipelines.map(({ slug }) => slug);
    if (!slugs.includes(String(body['pipeline'])))
      issues.push({
        type: 'literal_error',
        loc: ['body', 'pipeline'],
        msg: `Input should be '${slugs.join("', '")}'`,
        input: body,
      });
    const images = body['source_images'];
    if (!Array.isArray(images) || images.some(({ id }: { id?: unknown }) => typeof id !== 'string'))
      issues.push({
        type: 'string_type',
        loc: ['body', 'source_images', 0, 'id'],
        msg: 'Input should be a valid string',
        input: body,
      });
    const { config } = body;
    if (typeof config !== 'object' || config === null)
      issues.push({
        type: 'dict_type',
        loc: ['body', 'config'],
        msg: 'Input should be a valid dictionary',
        input: config,
      });
    return issues;
  }
}

function answerOf(
  call: SeenCall,
  images: readonly { id: string; url: string }[],
  lengths: readonly number[],
): FakeAnswer {
  return {
    pipeline: call.pipeline,
    total_time: 0.01,
    algorithms: {},
    source_images: images.map(({ id, url }) => ({ id, url })),
    detections: images.map(({ id }, index) => ({
      source_image_id: id,
      // The model's own: a test can tell whose box it is.
      bbox: { x1: 0, y1: 0, x2: lengths[index] ?? 1, y2: 1 },
      inference_time: 0.01,
      algorithm: { name: 'Fake box', key: 'fake_box' },
      timestamp: '2026-11-27T14:38:48.640585',
      crop_image_url: null,
      classifications: [
        {
          classification: 'Actias luna',
          labels: null,
          scores: [0.9, 0.1],
          logits: [],
          inference_time: null,
          algorithm: { name: 'Fake species', key: 'fake_species' },
          terminal: true,
          timestamp: '2026-11-27T14:38:48.640585',
        },
      ],
    })),
  };
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
