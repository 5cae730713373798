import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { serve, startMain } from '../mains.js';
import { expectShown } from '../shown.js';

describe('examples/insect-detector', () => {
  it('has a demo that does a job of generated images, and leaves pictures and a page', async () => {
    const main = startMain('insect-detector/demo.ts', { args: ['--count', '4'] });
    expect(await main.exit, main.output()).toBe(0);
    expectShown('insect-detector', main.printed());
    for (const file of ['index.html', 'trap-001.boxes.jpg', 'trap-004.boxes.jpg'])
      expect(existsSync(join(main.folder, 'demo-output', file)), file).toBe(true);
  }, 120_000);

  it('has a worker that does a server’s job, and says what became of each image', async () => {
    const { env, done } = await serve();
    const main = startMain('insect-detector/worker.ts', { env });
    await done(main);
    main.child.kill('SIGTERM');
    expect(await main.exit, main.output()).toBe(0);
    expect(main.printed()).toMatch(/^(?:image \d: success, \d+ detections\n){4}\{/);
  }, 120_000);
});
