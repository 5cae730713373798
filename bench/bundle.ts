import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const { dependencies, peerDependencies, sideEffects } = JSON.parse(
  readFileSync(`${ROOT}package.json`, 'utf8'),
) as {
  dependencies: Readonly<Record<string, string>>;
  peerDependencies: Readonly<Record<string, string>>;
  sideEffects: boolean;
};

/** All that a user installs along with the package, or beside it. */
export const DEPENDENCIES: readonly string[] = Object.keys({ ...dependencies, ...peerDependencies });

/** Uses the client, as a program of a user's does. */
const PROGRAM = `import { AntennaClient } from 'antenna-sdk'; console.log(AntennaClient);`;

function kilobytes(code: string | Uint8Array): number {
  return gzipSync(code, { level: 9 }).length / 1000;
}

/**
 * Kilobytes of one file, minified and gzipped, as esbuild makes it when it is not told to split: what the package loads by `import()` is
 * in it too.
 */
export async function oneFileKilobytes(source: string, external: readonly string[]): Promise<number> {
  const { outputFiles } = await esbuild({
    stdin: { contents: source, resolveDir: ROOT },
    // The package by its own name, as built; without this esbuild follows tsconfig's paths to the source.
    tsconfigRaw: {},
    external: [...external],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
  });
  return kilobytes(outputFiles[0]?.contents ?? '');
}

/** The client in a program that vite has built, without dependencies, minified and gzipped. */
export interface ClientBundle {
  /** What is loaded with the program, in one piece as in an archive or a container's layer. */
  readonly firstKb: number;
  /** Its files one by one, which share no dictionary. */
  readonly apartKb: number;
  /** What is loaded when it is asked for: a registration, a token provider, the way of the requests. */
  readonly laterKb: number;
}

/** What a bundler that splits at `import()` makes of the client, as most do. */
export async function clientBundle(): Promise<ClientBundle> {
  const program = '\0program';
  const result = await vite({
    configFile: false,
    root: ROOT,
    logLevel: 'error',
    plugins: [
      {
        name: 'program',
        enforce: 'pre',
        resolveId(id) {
          if (id === 'program') return program;
          if (id === 'antenna-sdk') return { id: `${ROOT}dist/index.js`, moduleSideEffects: sideEffects };
          return DEPENDENCIES.includes(id) ? { id, external: true } : undefined;
        },
        load: (id) => (id === program ? PROGRAM : undefined),
      },
    ],
    build: {
      ssr: true,
      write: false,
      minify: true,
      target: 'node20',
      rolldownOptions: { input: { program: 'program' } },
    },
  });
  const built = Array.isArray(result) ? result[0] : result;
  if (built === undefined || !('output' in built)) throw new Error('vite built nothing');
  const files = new Map(
    built.output.flatMap((file) => (file.type === 'chunk' ? [[file.fileName, file] as const] : [])),
  );
  const first = new Set<string>();
  const visit = (name: string): void => {
    const file = files.get(name);
    if (file === undefined || first.has(name)) return;
    first.add(name);
    file.imports.forEach(visit);
  };
  for (const [name, { isEntry }] of files) if (isEntry) visit(name);
  const codes = (isFirst: boolean): string[] =>
    [...files].flatMap(([name, { code }]) => (first.has(name) === isFirst ? code : []));
  const sum = (isFirst: boolean): number => codes(isFirst).reduce((kb, code) => kb + kilobytes(code), 0);
  return { firstKb: kilobytes(codes(true).join('\n')), apartKb: sum(true), laterKb: sum(false) };
}
