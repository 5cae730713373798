import { compare, figure, measure, type Bench } from './harness.js';

interface Measured {
  bytes: number;
  float32Bytes: number;
  float32AsDoublesBytes: number;
  oursMs: number[];
  stringifyMs: number[];
  bufferMs: number[];
  float32Ms: number[];
  float32AsDoublesMs: number[];
}

/** The large result of the design: 40 detections with 2,500 scores and logits each, checked and turned into bytes. */
export const encode: Bench = {
  name: 'encode',
  title: 'Encoding a large result, against JSON.stringify',
  run() {
    const { bytes, oursMs, stringifyMs, bufferMs, ...float32 } = measure('encode.mjs') as Measured;
    const { float32Bytes, float32AsDoublesBytes, float32Ms, float32AsDoublesMs } = float32;
    return [
      figure('size of the result', bytes / 1e6, 'MB'),
      compare({ what: 'against JSON.stringify', ours: oursMs, raw: stringifyMs, unit: 'ms', atMost: 1.25 }),
      compare({ what: 'against JSON.stringify and Buffer.from', ours: oursMs, raw: bufferMs, unit: 'ms' }),
      figure('the same in float32, written as doubles', float32AsDoublesBytes / 1e6, 'MB'),
      figure('a Float32Array, shortest decimals', float32Bytes / 1e6, 'MB'),
      figure('its share of the bytes', float32Bytes / float32AsDoublesBytes, 'x', 0.6),
      compare({
        what: 'a Float32Array, against the same as doubles',
        ours: float32Ms,
        raw: float32AsDoublesMs,
        unit: 'ms',
        atMost: 1.5,
      }),
      figure('slowest single result (stalls the event loop)', Math.max(...oursMs, ...float32Ms), 'ms', 50),
    ];
  },
};
