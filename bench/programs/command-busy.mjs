// How much of its time a model in a child computes, with images that follow each other. argv: bytes an image, milliseconds of the model, images.
import { fileURLToPath } from 'node:url';
import { CommandExecutor, silentLogger } from '../../dist/index.js';

const [bytes, modelMs, images] = process.argv.slice(2).map(Number);
const handler = fileURLToPath(new URL('instant_handler.py', import.meta.url));
const executor = new CommandExecutor({ command: 'python3', args: [handler, String(modelMs), 'image'] });
const context = {
  signal: new AbortController().signal,
  config: {},
  logger: silentLogger,
  deadline: { remainingMs: () => 30_000 },
};
const buffer = Buffer.alloc(bytes, 1);
let next = 0;
const spans = [];
async function lane() {
  while (next < images) {
    const image = {
      id: String(next++),
      url: '',
      bytes: buffer,
      contentType: undefined,
      jobId: 1,
      detections: [],
    };
    const [outcome] = await executor.run([image], context);
    if (!outcome.ok) throw outcome.error;
    spans.push(outcome.result);
  }
}
await executor.warmUp();
await Promise.all([lane(), lane()]);
await executor.close();
// By the child's own clock: what it computed, of the time from its first image to its last.
const computed = spans.reduce((sum, { began, ended }) => sum + ended - began, 0);
const elapsed = Math.max(...spans.map(({ ended }) => ended)) - Math.min(...spans.map(({ began }) => began));
console.log(JSON.stringify({ busy: computed / elapsed }));
