import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PipelineDefinition, WorkerPipeline } from '../index.js';
import { UsageError } from './exit-codes.js';
import type { Frame } from './frame.js';

/** The pipelines that the settings name, checked and filtered by `--pipeline`. @throws UsageError when there are none. */
export async function loadPipelines(frame: Frame): Promise<readonly WorkerPipeline[]> {
  const pipelines = await optionalPipelines(frame);
  if (pipelines !== undefined) return pipelines;
  throw new UsageError(
    'No pipeline is given: --module FILE, a file that exports what definePipeline returns',
  );
}

/** The same; undefined when no setting names any. */
export async function optionalPipelines(frame: Frame): Promise<readonly WorkerPipeline[] | undefined> {
  const { module } = frame.settings;
  if (module === undefined) return undefined;
  return chosen(await fromModule(resolve(frame.cwd, module)), frame.settings.pipeline);
}

function chosen(
  pipelines: readonly WorkerPipeline[],
  slugs: readonly string[] | undefined,
): readonly WorkerPipeline[] {
  if (slugs === undefined) return pipelines;
  const known = pipelines.map(({ slug }) => slug);
  const unknown = slugs.filter((slug) => !known.includes(slug));
  if (unknown.length > 0)
    throw new UsageError(`--pipeline ${unknown.join(', ')} is not among the pipelines: ${known.join(', ')}`);
  return pipelines.filter(({ slug }) => slugs.includes(slug));
}

async function fromModule(path: string): Promise<readonly WorkerPipeline[]> {
  if (!existsSync(path)) throw new UsageError(`--module ${path}: there is no such file`);
  const { definePipeline } = await import('../index.js');
  const exported = await importModule(path);
  const found = Object.values(exported).flat().filter(isDefinition);
  const unique = [...new Set(found)].map((given) => ('detector' in given ? given : definePipeline(given)));
  if (unique.length > 0) return unique;
  throw new UsageError(
    `--module ${path} exports no pipeline: export what definePipeline returns, or an array of them`,
  );
}

/** By shape: a module may have loaded another copy of the package. */
function isDefinition(value: unknown): value is WorkerPipeline | PipelineDefinition {
  if (typeof value !== 'object' || value === null) return false;
  return 'createExecutor' in value || ('slug' in value && 'algorithms' in value);
}

async function importModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  const address = pathToFileURL(path).href;
  if (/\.[mc]?tsx?$/.test(path)) await enableTypeScript(path);
  try {
    return (await import(address)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new UsageError(`--module ${path} cannot be loaded: ${reason}`);
  }
}

/** Older Nodes cannot read TypeScript; a project that is written in it usually has tsx. */
async function enableTypeScript(path: string): Promise<void> {
  if ((process.features as { readonly typescript?: unknown }).typescript) return;
  try {
    const found = createRequire(path).resolve('tsx/esm/api');
    const { register } = (await import(pathToFileURL(found).href)) as { register: () => unknown };
    register();
  } catch {
    throw new UsageError(
      `--module ${path}: Node ${process.versions.node} cannot read TypeScript; run npm install --save-dev tsx there, or build it and name the .js file`,
    );
  }
}
