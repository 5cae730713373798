import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';

let outputs: Metafile['outputs'];

beforeAll(async () => {
  const { metafile } = await build({
    absWorkingDir: fileURLToPath(new URL('../../', import.meta.url)),
    entryPoints: { index: 'src/index.ts', cli: 'src/cli/main.ts' },
    outdir: 'never-written',
    write: false,
    metafile: true,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    tsconfigRaw: {},
  });
  ({ outputs } = metafile);
});

/** What loading a file loads: files of ours and packages. @param ever - also what is loaded later, by `import()`. */
function loadedBy(
  entry: string,
  ever = false,
): { readonly files: Set<string>; readonly packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const seen = new Set<string>();
  const visit = (output: string): void => {
    if (seen.has(output)) return;
    seen.add(output);
    for (const file of Object.keys(outputs[output]?.inputs ?? {})) files.add(file);
    for (const { path, external, kind } of outputs[output]?.imports ?? []) {
      if (kind === 'dynamic-import' && !ever) continue;
      if (external !== true) visit(path);
      else if (!path.startsWith('node:')) packages.add(path);
    }
  };
  visit(entry);
  return { files, packages };
}

describe('the library', () => {
  it('never loads the command, at once or later', () => {
    const { files } = loadedBy('never-written/index.js', true);
    expect([...files].filter((file) => file.startsWith('src/cli/'))).toEqual([]);
    expect(files.size).toBeGreaterThan(100);
  });

  it('does not load what only the command needs', () => {
    const { packages } = loadedBy('never-written/index.js', true);
    for (const name of ['commander', '@clack/prompts', 'picocolors', 'log-update'])
      expect([...packages]).not.toContain(name);
  });

  it('loads no page and no contract server with its entry', () => {
    const { files } = loadedBy('never-written/index.js');
    expect([...files].filter((file) => /src\/testing\/|observe\/page\//.test(file))).toEqual([]);
  });
});

describe('the command', () => {
  it('loads the parser and its colours at the start, and a command when it is asked for', () => {
    const { files, packages } = loadedBy('never-written/cli.js');
    expect([...packages].sort()).toEqual(['commander', 'picocolors']);
    expect([...files].filter((file) => !file.startsWith('src/cli/'))).toEqual(['src/version.ts']);
    expect([...files].filter((file) => file.startsWith('src/cli/commands/'))).toEqual([]);
  });

  it('never needs msw, which is not installed with the package', () => {
    const { files, packages } = loadedBy('never-written/cli.js', true);
    expect([...files]).toContain('src/testing/server-core.ts');
    expect([...packages].filter((name) => name.startsWith('msw'))).toEqual([]);
  });
});
