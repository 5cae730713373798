// A worker that is about to be killed: it starts a handler process, says which, and stays.
import { fileURLToPath } from 'node:url';
import { ProcessExecutor } from '../../../../src/worker/executors/process.ts';

const module = fileURLToPath(new URL('./basic.mjs', import.meta.url));
const executor = new ProcessExecutor({ module });
const silent = () => undefined;
const [outcome] = await executor.run(
  [
    {
      id: '1',
      url: 'https://images.example/1.jpg',
      bytes: Buffer.from('moth'),
      contentType: undefined,
      jobId: 1,
    },
  ],
  {
    signal: new AbortController().signal,
    config: {},
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    deadline: { remainingMs: () => 1_000 },
  },
);
process.stdout.write(`${outcome.result.pid}\n`);
setInterval(silent, 1_000);
