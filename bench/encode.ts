import { compare, figure, measure, type Bench } from './harness.js';

interface Measured {
  bytes: number;
  oursMs: number[];
  stringifyMs: number[];
  bufferMs: number[];
}

/** The large result of the design: 40 detections with 2,500 scores and logits each, checked and turned into bytes. */
export const encode: Bench = {
  name: 'encode',
  title: `Encoding a large result, against JSON.stringify, Node ${process.version}`,
  run() {
    const { bytes, oursMs, stringifyMs, bufferMs } = measure('encode.mjs') as Measured;
    return [
      figure('size of the result', bytes / 1e6, 'MB'),
      compare({ what: 'against JSON.stringify', ours: oursMs, raw: stringifyMs, unit: 'ms', atMost: 1.25 }),
      compare({ what: 'against JSON.stringify and Buffer.from', ours: oursMs, raw: bufferMs, unit: 'ms' }),
      figure('slowest single result (stalls the event loop)', Math.max(...oursMs), 'ms', 50),
    ];
  },
};
