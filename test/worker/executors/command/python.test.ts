import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandExecutor, OutOfMemoryTaskError, PermanentTaskError, pipelinesFromCommand } from 'antenna-sdk';
import { helperPath } from 'antenna-sdk/python';
import { afterAll, describe, expect, it } from 'vitest';
import { contextOf, imagesOf, listeningLogger, read, wentWell } from '../support.js';
import { errorOf, isRunning, pythonHas } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'antenna-python-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

let scripts = 0;
function script(code: string): readonly string[] {
  const path = join(folder, `model-${scripts++}.py`);
  writeFileSync(path, code);
  return [path];
}

const MODEL = `
print("printed before the import")
from antenna_handler import PermanentError, pipeline, run
print("printed after it")
import os

def process(image, task):
    print("printed in a call")
    text = image.decode()
    if text == "permanent":
        raise PermanentError("no picture")
    if text == "memory":
        raise MemoryError()
    if text == "kill":
        os.kill(os.getpid(), 9)
    if text == "exit":
        os._exit(4)
    return {"detections": [{"bbox": [1, 2, 3, 4]}], "text": text, "pid": os.getpid(), "pipeline": task.pipeline}

run(process, pipelines=[pipeline("py-moths", detector="py-box"), pipeline("py-flies", detector="py-box")])
`;
import { orSkipped } from '../../../support/or-skipped.js';

it('finds the file for Python', () => {
  expect(existsSync(helperPath)).toBe(true);
});

describe.skipIf(!pythonHas())(
  orSkipped('a handler in Python', pythonHas(), 'no python3 of 3.9 or newer'),
  () => {
    it('answers image by image, and what it prints is logged', async () => {
      const { logger, lines } = listeningLogger();
      const executor = new CommandExecutor({
        command: 'python3',
        args: script(MODEL),
        logger,
        random: () => 0,
      });
      try {
        const words = ['a', 'permanent', 'memory', 'kill', 'exit', 'b'];
        const outcomes = await executor.run(imagesOf(...words), contextOf({ pipeline: 'py-flies' }));
        expect(wentWell(outcomes)).toEqual([true, false, false, false, false, true]);
        expect(read(outcomes)[0]).toMatchObject({
          detections: [{ bbox: { x1: 1, y1: 2, x2: 3, y2: 4 } }],
          pipeline: 'py-flies',
        });
        expect(errorOf(outcomes[1])).toBeInstanceOf(PermanentTaskError);
        expect(errorOf(outcomes[2])).toBeInstanceOf(OutOfMemoryTaskError);
        expect(lines.join('\n')).toMatch(/printed before[^]*printed after[^]*printed in a call/);
      } finally {
        await executor.close();
      }
    });

    it('says what it can do; its pipelines share one process, which starts once for each run', async () => {
      const pipelines = await pipelinesFromCommand({ command: 'python3', args: script(MODEL) });
      expect(pipelines.map(({ slug, batchSize }) => [slug, batchSize])).toEqual([
        ['py-moths', 1],
        ['py-flies', 1],
      ]);
      const round = async (): Promise<unknown[]> => {
        const executors = pipelines.map((pipeline) => pipeline.createExecutor(undefined as never));
        const outcomes = await Promise.all(
          executors.map((executor) => executor.run(imagesOf('a'), contextOf())),
        );
        for (const executor of executors) await executor.close();
        return outcomes
          .flat()
          .map((outcome) => outcome.ok && (outcome.result as unknown as { pid: number }).pid);
      };
      const [first, second] = [await round(), await round()];
      expect(new Set(first).size).toBe(1);
      expect(new Set(second).size).toBe(1);
      expect(first[0]).not.toBe(second[0]);
      expect(isRunning(second[0] as number)).toBe(false);
    });

    it.each([
      [
        'a module is missing',
        'import no_such_module',
        /It printed last:[^]*No module named 'no_such_module'/,
      ],
      ['it describes nothing', 'from antenna_handler import run\nrun(len)', /none is described/],
      [
        'it describes nonsense',
        'from antenna_handler import run\nrun(len, pipelines=[{"slug": "x"}])',
        /Invalid pipeline "x"/,
      ],
    ])('that cannot be used says why: %s', async (_, code, words) => {
      await expect(pipelinesFromCommand({ command: 'python3', args: script(code) })).rejects.toThrow(words);
    });

    it('keeps every promise of its own tests', () => {
      const tests = fileURLToPath(new URL('../../../python/', import.meta.url));
      const args = ['-m', 'unittest', '-v', 'test_antenna_handler'];
      const { status, stderr } = spawnSync('python3', args, { cwd: tests, encoding: 'utf8' });
      expect(status, stderr).toBe(0);
    });
  },
);
