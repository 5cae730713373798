// The same from CommonJS, as on Node 20.18: the threads start from this build too.
const assert = require('node:assert/strict');
const { silentLogger, systemClock } = require('antenna-sdk');
const onnx = require('antenna-sdk/onnx');

assert.deepEqual(Object.keys(onnx).sort(), JSON.parse(process.argv[2]));
const executor = onnx.onnxPipeline.fromFolder('models').createExecutor(systemClock);
const context = {
  signal: new AbortController().signal,
  config: {},
  logger: silentLogger,
  deadline: { remainingMs: () => 60_000 },
};
const image = {
  id: '1',
  url: 'https://images.example/1.jpg',
  bytes: Buffer.from('no picture'),
  contentType: 'image/jpeg',
  jobId: 1,
  detections: [],
};
executor
  .warmUp(context)
  .then(() => executor.run([image], context))
  .then(async ([outcome]) => {
    await executor.close();
    assert.equal(outcome.ok, false);
    assert.match(outcome.error.message, /cannot be decoded/);
  });
