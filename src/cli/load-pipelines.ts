import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Logger, PipelineDefinition, WorkerPipeline } from '../index.js';
import { attachAddress } from './attach-address.js';
import { UsageError } from './exit-codes.js';
import type { Frame } from './frame.js';

/** Pipelines, and what has to be ended when no worker ran with them. */
export interface Loaded {
  readonly pipelines: readonly WorkerPipeline[];
  readonly close: () => Promise<void>;
}

/** What a source of pipelines may want to say while it starts. */
export interface LoadOptions {
  readonly logger?: Logger;
}

/** Where pipelines come from, one of which is given. */
const WAYS = ['module', 'exec', 'attach', 'service', 'onnx'] as const;

/** The pipelines that the settings name, checked and filtered by `--pipeline`. @throws UsageError when there are none. */
export async function loadPipelines(frame: Frame, options: LoadOptions = {}): Promise<Loaded> {
  const loaded = await optionalPipelines(frame, options);
  if (loaded !== undefined) return loaded;
  throw new UsageError(
    'No pipeline is given: --module FILE that exports what definePipeline returns, --exec "python3 detect.py", --attach, --service URL, --start "command" or --onnx DIR; antenna init writes a worker to start from',
  );
}

/** The same; undefined when no setting names any. */
export async function optionalPipelines(
  frame: Frame,
  { logger }: LoadOptions = {},
): Promise<Loaded | undefined> {
  const { settings, cwd, env } = frame;
  const given = WAYS.filter(
    (way) => settings[way] !== undefined || (way === 'service' && settings.start !== undefined),
  );
  if (given.length > 1)
    throw new UsageError(`Give one of ${given.map((way) => `--${way}`).join(', ')}, not several`);
  const { pipelinesFromAttached, pipelinesFromCommand } = await import('../index.js');
  switch (given[0]) {
    case 'module':
      return ready(chosen(await fromModule(resolve(cwd, settings.module ?? '')), settings.pipeline));
    case 'exec':
      return ready(
        chosen(
          await pipelinesFromCommand({ ...commandOf('exec', settings.exec ?? ''), cwd, logger }),
          settings.pipeline,
        ),
      );
    case 'attach':
      return ready(
        chosen(
          await pipelinesFromAttached({ listen: attachAddress(settings.attach ?? '', cwd, env), logger }),
          settings.pipeline,
        ),
      );
    case 'service':
      return fromService(frame, logger);
    case 'onnx': {
      const { onnxPipeline } = await import('../onnx/index.js');
      return ready(chosen([onnxPipeline.fromFolder(resolve(cwd, settings.onnx ?? ''))], settings.pipeline));
    }
    default:
      return undefined;
  }
}

const ready = (pipelines: readonly WorkerPipeline[]): Loaded => ({
  pipelines,
  close: () => Promise.resolve(),
});

async function fromService({ settings, cwd }: Frame, logger: Logger | undefined): Promise<Loaded> {
  const { pushService } = await import('../index.js');
  const service = await pushService({
    url: settings.service,
    start: settings.start === undefined ? undefined : { ...commandOf('start', settings.start), cwd },
    pipelines: settings.pipeline,
    logger,
  });
  return { pipelines: service.pipelines, close: () => service.close() };
}

/** A command line without a shell: words, and quotes around words with blanks. @throws UsageError for a quote that does not end. */
function commandOf(
  flag: string,
  line: string,
): { readonly command: string; readonly args: readonly string[] } {
  const words = [...line.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replaceAll(/"([^"]*)"|'([^']*)'/g, '$1$2'),
  );
  const [command, ...args] = words;
  const quotes = line.replaceAll(/"[^"]*"|'[^']*'/g, '');
  if (command === undefined || /["']/.test(quotes))
    throw new UsageError(`--${flag} must be a command such as "python3 detect.py"`);
  return { command, args };
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
    // `resolve` finds the build for CommonJS, whose register looks for its hooks in a folder that is not there (tsx 4.23).
    const asModule = found.replace(/\.cjs$/, '.mjs');
    const file = existsSync(asModule) ? asModule : found;
    const { register } = (await import(pathToFileURL(file).href)) as { register: () => unknown };
    register();
  } catch {
    throw new UsageError(
      `--module ${path}: Node ${process.versions.node} cannot read TypeScript; run npm install --save-dev tsx there, or build it and name the .js file`,
    );
  }
}
