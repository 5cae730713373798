// A processing service that speaks Antenna's push API, in Node: the model is that of ../insect-detector.
//
//   npx tsx examples/bridge/service.ts --port 2000
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { CATEGORY_MAP, classifyBlob } from '../insect-detector/classify.js';
import { detectInsects } from '../insect-detector/detect.js';

const SLUG = 'node_example';
const DETECTOR = { name: 'Light sheet blobs', key: 'light-sheet-blobs' };
const CLASSIFIER = { name: 'Silhouette shapes', key: 'silhouette-shapes' };

const INFO = {
  name: 'Node example service',
  description: 'Finds dark things on a light sheet and sorts them by size and shape. Names no species.',
  pipelines: [
    {
      name: 'Node example',
      slug: SLUG,
      version: 1,
      algorithms: [
        { ...DETECTOR, task_type: 'detection', version: 1, category_map: null },
        { ...CLASSIFIER, task_type: 'classification', version: 1, category_map: CATEGORY_MAP },
      ],
      stages: [],
    },
  ],
};

interface ProcessRequest {
  readonly pipeline: string;
  readonly source_images: readonly { readonly id: string; readonly url: string }[];
}

async function detectionsOf({ id, url }: ProcessRequest['source_images'][number]): Promise<object[]> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(60_000) });
  if (!answer.ok) throw new Error(`the image of ${id} was answered with ${answer.status}`);
  const { blobs } = await detectInsects(new Uint8Array(await answer.arrayBuffer()));
  const timestamp = new Date().toISOString();
  return blobs.map((blob) => {
    const { label, scores, logits } = classifyBlob(blob);
    const classification = { classification: label, scores, logits, algorithm: CLASSIFIER, timestamp };
    return {
      source_image_id: id,
      bbox: blob.bbox,
      algorithm: DETECTOR,
      timestamp,
      classifications: [classification],
    };
  });
}

async function process_(text: string, response: ServerResponse): Promise<void> {
  const request = JSON.parse(text) as Partial<ProcessRequest>;
  const { pipeline, source_images: images } = request;
  if (pipeline !== SLUG || !Array.isArray(images)) {
    const detail = [
      { loc: ['body'], msg: `Input should be { pipeline: "${SLUG}", source_images: [{ id, url }] }` },
    ];
    send(response, 422, { detail });
    return;
  }
  const startedAt = performance.now();
  const detections: object[] = [];
  for (const image of images as ProcessRequest['source_images'])
    detections.push(...(await detectionsOf(image)));
  const total_time = (performance.now() - startedAt) / 1_000;
  send(response, 200, { pipeline, algorithms: {}, total_time, source_images: images, detections });
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { url, method } = request;
  if (url === '/info') send(response, 200, INFO);
  else if (url === '/livez') send(response, 200, { status: true });
  else if (url === '/readyz') send(response, 200, { status: [SLUG] });
  else if (url === '/process' && method === 'POST') {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    await process_(Buffer.concat(chunks).toString(), response);
  } else send(response, 404, { detail: 'Not Found' });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const { values } = parseArgs({ options: { port: { type: 'string', default: '2000' } } });
createServer((request, response) => {
  serve(request, response).catch((error: unknown) => {
    response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error));
  });
}).listen(Number(values.port), '127.0.0.1');
