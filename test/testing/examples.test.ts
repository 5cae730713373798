import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
// The example's own tests run as part of this file.
import '../../examples/testing-your-worker/with-vitest.test.js';
import { expectShown } from '../examples/shown.js';

const run = promisify(execFile);
const example = (name: string): string =>
  fileURLToPath(new URL(`../../examples/testing-your-worker/${name}`, import.meta.url));

describe('examples/testing-your-worker', () => {
  it('passes under Node’s own test runner', async () => {
    const { stdout } = await run(process.execPath, [
      '--import',
      'tsx',
      '--test-reporter=spec',
      example('with-node-test.ts'),
    ]);
    expect(stdout).toMatch(/pass 4/);
    expect(stdout).toMatch(/fail 0/);
    expectShown('testing-your-worker', stdout);
  }, 60_000);

  it('serves the seed to another process, which can take the job’s tasks', async () => {
    const server = spawn(process.execPath, ['--import', 'tsx', example('serve.ts')]);
    try {
      let printed = '';
      server.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
      while (!printed.includes('job "night 1"')) await once(server.stdout, 'data');
      const url = /at (http:\S+)/.exec(printed)?.[1] ?? '';
      const token = /Token (\w+)/.exec(printed)?.[1] ?? '';
      const id = /id (\d+), STARTED/.exec(printed)?.[1] ?? '';
      const answer = await fetch(`${url}/jobs/${id}/tasks/`, {
        method: 'POST',
        headers: { authorization: `Token ${token}`, 'content-type': 'application/json' },
        body: '{"batch_size":5}',
      });
      expect(((await answer.json()) as { tasks: unknown[] }).tasks).toHaveLength(2);
    } finally {
      server.kill();
      await once(server, 'exit');
    }
  });
});
