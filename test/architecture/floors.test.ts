import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { FLOORS, problemsOf, roomOf } from './floors.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SRC = join(ROOT, 'src');

/** Every file of `src`, and what it imports: types, re-exports and `import()` included. */
function readImports(): Map<string, readonly string[]> {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts'));
  return new Map(
    files.map((file) => [
      file,
      ts
        .preProcessFile(readFileSync(join(SRC, file), 'utf8'))
        .importedFiles.map(({ fileName }) => fileName)
        .filter((name) => name.startsWith('.') && name.endsWith('.js'))
        .map((name) =>
          normalize(join(dirname(file), name))
            .replaceAll('\\', '/')
            .replace(/js$/, 'ts'),
        )
        .filter((name) => existsSync(join(SRC, name))),
    ]),
  );
}

describe('the floors of src', () => {
  const imports = readImports();

  it('are held by every file', () => {
    expect(imports.size).toBeGreaterThan(400);
    expect([...imports.values()].flat().length).toBeGreaterThan(1_500);
    expect(problemsOf(imports)).toEqual([]);
  });

  it('have no room that nobody lives in', () => {
    const lived = new Set([...imports.keys()].map(roomOf));
    expect(FLOORS.map(([room]) => room).filter((room) => !lived.has(room))).toEqual([]);
  });

  it.each(FLOORS.filter(([room]) => !room.endsWith('.ts')))('%s says in one sentence what it is', (room) => {
    const text = readFileSync(join(SRC, room, 'README.md'), 'utf8');
    expect(text).toMatch(/^[A-Z].+[.:]/);
  });

  it('fail with a circle, naming it', () => {
    const [problem, ...more] = problemsOf(
      new Map([
        ['http/a.ts', ['http/b.ts']],
        ['http/b.ts', ['http/c.ts', 'time/clock.ts']],
        ['http/c.ts', ['http/a.ts']],
      ]),
    );
    expect(problem).toContain('src/http/a.ts -> src/http/b.ts -> src/http/c.ts -> src/http/a.ts');
    expect(more).toEqual([]);
  });

  it.each([
    ['errors/base.ts', 'client/client.ts', 'higher floor'],
    ['worker/stages/pick.ts', 'worker/outbox/outbox.ts', 'worker/outbox stands on worker/stages'],
    ['testing/antenna.ts', 'http/url.ts', 'testing shares contract and time'],
    ['onnx/index.ts', 'cli/main.ts', 'higher floor'],
    ['cli/main.ts', 'testing/serving.ts', undefined],
    ['elsewhere/x.ts', 'time/clock.ts', 'stands in no room'],
  ])('judge an import of %s from %s', (file, other, problem) => {
    const problems = problemsOf(new Map([[file, [other]]]));
    if (problem === undefined) expect(problems).toEqual([]);
    else expect(problems).toEqual([expect.stringContaining(problem)]);
  });
});
