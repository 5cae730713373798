import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { has, installForFile } from './harness.js';

const { cli } = await installForFile();

/** A line that was printed, as arguments, without what a shell leaves out. */
function argumentsOf(text: string, line: RegExp): string[] {
  const [, found = ''] = line.exec(text) ?? [];
  expect(found, text).not.toBe('');
  const typed = found.replace(/ {2,}.*$/, '').replace(/ *#.*$/, '');
  return typed.split(' ').slice(1);
}

describe('somebody who types what is printed', () => {
  it('gets from doctor and serve to a worker that has done a job', async ({ skip }) => {
    if (!(await has('python3'))) skip();
    const cwd = cli.work();
    const lost = await cli.run(['doctor'], { cwd });
    expect(lost.code).toBe(1);
    expect(lost.stdout).toMatch(
      /→ export ANTENNA_API_URL=https:\/\/antenna\.example\.org; without a server: antenna serve/,
    );

    const server = cli.start(['serve', '--port', '0', '--count', '3'], { cwd });
    try {
      await expect.poll(() => server.stdout(), { timeout: 15_000 }).toContain('Ctrl-C ends it all');
      const lines = [...server.stdout().matchAll(/export (\w+)=(\S+)/g)];
      const env = Object.fromEntries(lines.map(([, name = '', value = '']) => [name, value]));
      const init = argumentsOf(server.stdout(), /^ {2}(antenna init .*)$/m);

      const first = await cli.run(['doctor'], { cwd, env });
      expect(first.code, first.stdout).toBe(0);
      expect(first.stdout).toContain('antenna run --project 1 --module FILE');
      expect(argumentsOf(first.stdout, /Next: (antenna init .*)$/m)).toEqual(init);

      const written = await cli.run([...init, '--kind', 'python'], { cwd });
      expect(written.code).toBe(0);
      const folder = join(cwd, argumentsOf(written.stdout, /^ {2}(cd .*)$/m)[0] ?? '');

      // The folder's own configuration says what there is to run, and the key which project.
      const second = await cli.run(['doctor'], { cwd: folder, env });
      expect(second.code, second.stdout).toBe(0);
      const run = argumentsOf(second.stdout, /^Next: (antenna run.*)$/m);
      expect(run).toEqual(['run', '--project', '1']);

      const worked = await cli.run([...run, '--until', 'drained'], { cwd: folder, env });
      expect(worked.code, worked.stderr).toBe(0);
      expect(worked.stdout).toContain('"posted":3');
    } finally {
      server.child.kill('SIGTERM');
      await server.finished;
    }
  }, 60_000);

  it('is told the command by the name by which npx has it', async () => {
    const { stdout } = await cli.run(['doctor'], { env: { npm_command: 'exec' } });
    expect(stdout).toContain('without a server: npx antenna-sdk serve');
  });
});
