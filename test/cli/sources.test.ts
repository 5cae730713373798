import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blobDetector, shadeClassifier } from '../../examples/onnx/blob-model.js';
import { DESCRIPTION } from '../../examples/onnx/blob-pipeline.js';
import { helperPath } from '../../src/python/index.js';
import { has, installForFile, startSite, writeModule } from './harness.js';

const { cli } = await installForFile();

describe('antenna python-helper', () => {
  it('prints the file byte for byte, and Python can import it', async ({ skip }) => {
    const { code, stdout, stderr } = await cli.run(['python-helper']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(readFileSync(helperPath, 'utf8'));
    if (!(await has('python3'))) skip();
    const cwd = cli.work();
    writeFileSync(join(cwd, 'antenna_handler.py'), stdout);
    const code3 = 'import antenna_handler; print(sorted(antenna_handler.__all__)[-2:])';
    expect(execFileSync('python3', ['-c', code3], { cwd, encoding: 'utf8' })).toContain("'run', 'run_batch'");
  });
});

describe('antenna run --onnx', () => {
  it('does a job with a folder of models', async () => {
    await using site = await disposable(startSite(0));
    const cwd = cli.work();
    mkdirSync(join(cwd, 'models'));
    writeFileSync(join(cwd, 'models/blobs.onnx'), blobDetector());
    writeFileSync(join(cwd, 'models/shades.onnx'), shadeClassifier());
    writeFileSync(join(cwd, 'models/antenna.json'), JSON.stringify(DESCRIPTION));
    const pipeline = site.project.pipeline({ slug: 'onnx-blobs' });
    const images = Array.from(
      { length: 2 },
      () => site.images.generate({ width: 1200, height: 900, insects: 4 }).url,
    );
    const job = site.project.job({ pipeline, images });
    const args = ['run', '--onnx', 'models', '--project', String(site.project.id), '--job', String(job.id)];
    const { code, stderr } = await cli.run(args, { cwd, env: site.env });
    expect(code, stderr).toBe(0);
    site.server.settle();
    expect(job.status).toBe('SUCCESS');
    expect(job.counts).toMatchObject({ processed: 2, failed: 0 });
    // Four are drawn on each; a model without training may take one for two.
    expect(job.counts.detections).toBeGreaterThanOrEqual(8);
    expect(job.counts.classifications).toBe(job.counts.detections);
  }, 60_000);

  it('says what is wrong with a folder that holds none, and ends with 2', async () => {
    const env = { ANTENNA_API_KEY: 'prefix01.Zq7RkP2mXv9LbN4tYw6HcJ8sDf3GaE5u' };
    const args = ['run', '--onnx', 'none', '--url', 'http://127.0.0.1:9'];
    const { code, stderr } = await cli.run(args, { env });
    expect(stderr).toMatch(/there is no .*none.antenna\.json/);
    expect(code).toBe(2);
  });
});

describe('antenna run --failures', () => {
  const failing = `const { PermanentTaskError } = await import('antenna-sdk'); throw new PermanentTaskError('no insect, no sheet');`;

  it('writes a line of JSON for each image that failed, which nobody else can read', async () => {
    await using site = await disposable(startSite(3));
    const cwd = cli.work();
    writeModule(cwd, failing);
    const args = ['run', '--module', 'spots.mjs', '--job', String(site.job.id), '--failures', 'failed.jsonl'];
    const { code, stderr } = await cli.run(args, { cwd, env: site.env });
    expect(code, stderr).toBe(0);
    const lines = readFileSync(join(cwd, 'failed.jsonl'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(JSON.stringify(JSON.parse(line))).toContain('no insect, no sheet');
    expect(statSync(join(cwd, 'failed.jsonl')).mode & 0o777).toBe(0o600);
    expect(lines.join('')).not.toContain(site.key.slice(9, 21));
  });

  it('has a file of its own for each process', async () => {
    await using site = await disposable(startSite(4));
    const cwd = cli.work();
    writeModule(cwd, failing);
    const args = ['run', '--module', 'spots.mjs', '--workers', '2', '--until', 'drained'];
    const { code, stderr } = await cli.run([...args, '--failures', 'failed.jsonl', '--concurrency', '1'], {
      cwd,
      env: site.env,
    });
    expect(code, stderr).toBe(0);
    const lines = ['failed.worker-0.jsonl', 'failed.worker-1.jsonl']
      .filter((name) => existsSync(join(cwd, name)))
      .flatMap((name) => readFileSync(join(cwd, name), 'utf8').trim().split('\n'));
    expect(lines).toHaveLength(4);
    expect(existsSync(join(cwd, 'failed.jsonl'))).toBe(false);
  });
});

/** Closed at the end of the test, however that comes. */
async function disposable<Thing extends { readonly close: () => Promise<void> }>(
  thing: Promise<Thing>,
): Promise<Thing & AsyncDisposable> {
  const made = await thing;
  return Object.assign(made, { [Symbol.asyncDispose]: () => made.close() });
}
