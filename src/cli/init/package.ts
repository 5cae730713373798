import type { Kind, Project, StarterFile } from './project.js';

/** Ranges of what a starter installs; those of optional peers are the package's own, which a test holds against it. */
export const RANGES = {
  sharp: '>=0.34.0',
  'onnxruntime-node': '^1.22.0',
  msw: '^2.7.0',
  tsx: '^4.19.0',
  typescript: '^5.9.0',
  '@types/node': '^22.0.0',
} as const;

const DEPENDENCIES: Readonly<Record<Kind, readonly (keyof typeof RANGES)[]>> = {
  // tsx: Node 20 cannot read TypeScript by itself.
  typescript: ['sharp', 'tsx'],
  python: [],
  service: [],
  onnx: ['onnxruntime-node', 'sharp'],
};

const CONFIGURATIONS: Readonly<Record<Kind, Readonly<Record<string, string>>>> = {
  typescript: { module: './worker.ts' },
  python: { exec: 'python3 detect.py' },
  service: { service: 'http://127.0.0.1:2000', start: 'python3 service.py --port 2000' },
  onnx: { onnx: './models' },
};

/** package.json, settings of the command and what git leaves out. */
export function packageFiles({ kind, name, sdk }: Project): readonly StarterFile[] {
  const ranges = (names: readonly (keyof typeof RANGES)[]): Record<string, string> =>
    Object.fromEntries(names.map((dependency) => [dependency, RANGES[dependency]]));
  const manifest = {
    name,
    private: true,
    type: 'module',
    engines: { node: '>=20.18.1' },
    scripts: {
      start: 'antenna run',
      doctor: 'antenna doctor',
      test: `node ${kind === 'typescript' ? '--import tsx ' : ''}--test test/worker.test.mjs`,
      ...(kind === 'typescript' ? { typecheck: 'tsc' } : {}),
    },
    dependencies: { 'antenna-sdk': sdk, ...ranges(DEPENDENCIES[kind]) },
    devDependencies: ranges(kind === 'typescript' ? ['@types/node', 'msw', 'typescript'] : ['msw']),
  };
  return [
    { path: 'package.json', content: `${JSON.stringify(manifest, null, 2)}\n` },
    { path: 'antenna.config.json', content: `${JSON.stringify(CONFIGURATIONS[kind], null, 2)}\n` },
    { path: '.gitignore', content: IGNORED },
  ];
}

const IGNORED = `node_modules/
__pycache__/
spool/
*.jsonl
.env
antenna-api-key
`;
