import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pipelinesFromCommand } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { contextOf, imagesOf } from '../worker/executors/support.js';
import { pythonHas } from '../worker/executors/command/support.js';
import { orSkipped } from '../support/or-skipped.js';
import { serve, startMain } from './mains.js';
import { expectShown } from './shown.js';

const local = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const folder = local('../shared/images/');
const photographs = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.jpg')) : [];

const isThere = photographs.length > 0 && pythonHas('torch', 'torchvision', 'PIL');
describe.skipIf(!isThere)(
  orSkipped(
    'examples/pytorch-handler',
    isThere,
    'torch, torchvision, Pillow or ../shared/images is not there',
  ),
  () => {
    it('warms up, and takes photographs in a batch', async () => {
      const model = local('examples/pytorch-handler/model.py');
      const [pipeline] = await pipelinesFromCommand({ command: 'python3', args: [model] });
      const executor = pipeline?.createExecutor(undefined as never);
      const images = imagesOf('a', 'b').map((image, index) => ({
        ...image,
        bytes: readFileSync(join(folder, photographs[index] ?? '')),
      }));
      try {
        expect(pipeline?.batchSize).toBe(8);
        expect(await executor?.warmUp?.()).toBeGreaterThan(0);
        const outcomes = (await executor?.run(images, contextOf())) ?? [];
        expect(outcomes.map(({ ok }) => ok)).toEqual([true, true]);
      } finally {
        await executor?.close();
      }
    }, 300_000);
  },
);

const canRun = pythonHas('torch', 'torchvision', 'PIL');
describe.skipIf(!canRun)(
  orSkipped('the worker of examples/pytorch-handler', canRun, 'torch, torchvision or Pillow is not there'),
  () => {
    it('does a server’s job, and says what became of each image', async () => {
      const { env, done } = await serve();
      const main = startMain('pytorch-handler/worker.ts', { env });
      await done(main);
      main.child.kill('SIGTERM');
      expect(await main.exit, main.output()).toBe(0);
      expectShown('pytorch-handler', main.printed());
    }, 300_000);
  },
);
