import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startMain } from './mains.js';
import { expectShown } from './shown.js';

describe('examples/onnx', () => {
  it('does the demo’s job with models in ONNX files, and leaves pictures and the folder of models', async () => {
    const main = startMain('insect-detector/demo.ts', { args: ['--onnx', '--count', '4'] });
    expect(await main.exit, main.output()).toBe(0);
    expectShown('onnx', main.printed());
    for (const file of ['index.html', 'trap-001.boxes.jpg', 'models/antenna.json'])
      expect(existsSync(join(main.folder, 'demo-output', file)), file).toBe(true);
  }, 120_000);
});
