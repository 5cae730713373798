// A folder of models becomes a pipeline that finds what is in a picture: with the package and its two peers, and nothing of the repository.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { silentLogger, systemClock } from 'antenna-sdk';
import * as onnx from 'antenna-sdk/onnx';
import sharp from 'sharp';

assert.deepEqual(Object.keys(onnx).sort(), JSON.parse(process.argv[2]));
const schema = createRequire(import.meta.url).resolve('antenna-sdk/onnx/schema.json');
assert.ok(JSON.parse(readFileSync(schema, 'utf8')).properties.detector);

const pipeline = onnx.onnxPipeline.fromFolder('models');
const executor = pipeline.createExecutor(systemClock);
const svg =
  '<svg xmlns="http://www.w3.org/2000/svg" width="2000" height="1200"><rect width="100%" height="100%" fill="#ddd"/>' +
  '<ellipse cx="700" cy="500" rx="40" ry="25" fill="#222"/></svg>';
const bytes = await sharp(Buffer.from(svg)).jpeg().toBuffer();
const image = {
  id: '1',
  url: 'https://images.example/1.jpg',
  bytes,
  contentType: 'image/jpeg',
  jobId: 1,
  detections: [],
};
const context = {
  signal: new AbortController().signal,
  config: {},
  logger: silentLogger,
  deadline: { remainingMs: () => 60_000 },
};
await executor.warmUp(context);
const [outcome] = await executor.run([image], context);
await executor.close();
assert.ok(outcome.ok, String(outcome.error));
const [detection, ...others] = outcome.result.detections;
assert.equal(others.length, 0);
const { x1, y1, x2, y2 } = detection.bbox;
assert.ok(
  Math.abs((x1 + x2) / 2 - 700) < 10 && Math.abs((y1 + y2) / 2 - 500) < 10,
  JSON.stringify(detection.bbox),
);
assert.equal(detection.classifications[0].classification, 'Dark thing');
