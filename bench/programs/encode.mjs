// Prints the milliseconds of each encoding; the ways take turns.
import { encodeResult } from 'antenna-sdk';

const DETECTIONS = 40;
const CLASSES = 2500;
const ROUNDS = 31;
const WARM_UP = 5;

// A generator with a seed, so that every run encodes the same digits.
let seed = 1;
const random = () => {
  seed = (seed * 48271) % 2147483647;
  return seed / 2147483647;
};
const numbers = (of) => Array.from({ length: CLASSES }, of);
const timestamp = new Date(0).toISOString();
const detections = Array.from({ length: DETECTIONS }, (_, index) => ({
  source_image_id: '18',
  bbox: { x1: index, y1: index, x2: index + 20.5, y2: index + 30.25 },
  algorithm: { name: 'Moth Box', key: 'moth-box' },
  timestamp,
  classifications: [
    {
      classification: 'Noctuidae',
      scores: numbers(random),
      logits: numbers(() => random() * 20 - 10),
      algorithm: { name: 'Moth Species', key: 'moth-species' },
      timestamp,
    },
  ],
}));
// What a tensor library gives: the same scores and logits as float32, and as the doubles that these are.
const inFloat32 = (list) =>
  detections.map((detection) => ({
    ...detection,
    classifications: detection.classifications.map((classification) => ({
      ...classification,
      scores: list(Float32Array.from(classification.scores)),
      logits: list(Float32Array.from(classification.logits)),
    })),
  }));
const resultOf = (found) => ({
  reply_subject: '$JS.ACK.job_11.job-11-consumer.1.1.1.1795229915953121494.11',
  result: {
    pipeline: 'moths',
    total_time: 1.25,
    source_images: [{ id: '18', url: '' }],
    detections: found,
  },
});
const result = resultOf(detections);
const float32 = resultOf(inFloat32((list) => list));
const float32AsDoubles = resultOf(inFloat32((list) => Array.from(list)));

const ways = {
  oursMs: () => encodeResult(result).bytes.length,
  stringifyMs: () => JSON.stringify(result).length,
  bufferMs: () => Buffer.from(JSON.stringify(result)).length,
  float32Ms: () => encodeResult(float32).bytes.length,
  float32AsDoublesMs: () => encodeResult(float32AsDoubles).bytes.length,
};
const measured = {
  bytes: ways.bufferMs(),
  float32Bytes: ways.float32Ms(),
  float32AsDoublesBytes: ways.float32AsDoublesMs(),
  ...Object.fromEntries(Object.keys(ways).map((name) => [name, []])),
};
for (let round = -WARM_UP; round < ROUNDS; round += 1) {
  const names = Object.keys(ways);
  // Each way has every place in the turn equally often.
  const turn = ((round % names.length) + names.length) % names.length;
  for (const name of [...names.slice(turn), ...names.slice(0, turn)]) {
    const start = performance.now();
    ways[name]();
    if (round >= 0) measured[name].push(performance.now() - start);
  }
}
console.log(JSON.stringify(measured));
