// The entry loads without its peers, and a pipeline says what to install.
import assert from 'node:assert/strict';
import { onnxPipeline } from 'antenna-sdk/onnx';

assert.throws(
  () => onnxPipeline({}),
  /onnxruntime-node and sharp cannot be found\. Install with: npm install onnxruntime-node sharp/,
);
