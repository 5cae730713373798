import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AntennaConfigError } from '../errors/config.js';
import { checkArguments, checkOptions, isText, isTexts, type Check } from '../errors/arguments.js';
import { definePipeline, type Pipeline } from '../worker/executors/pipeline.js';
import type { OnnxDescription } from './description.js';
import { OnnxExecutor } from './executor.js';
import { checkPeers } from './peers.js';
import { resolveDescription } from './resolve.js';

/** Name of the description in a folder of models. */
export const DESCRIPTION_FILE = 'antenna.json';

/** What is not part of a description. */
export interface OnnxPipelineOptions {
  /** Folder that relative paths start from. Default: the working directory. */
  readonly folder?: string | undefined;
  /** Node's options for the threads. Default: those of this process. */
  readonly execArgv?: readonly string[] | undefined;
}

const FOLDER_OPTIONS: { readonly [Name in keyof Omit<Required<OnnxPipelineOptions>, 'folder'>]: Check } = {
  execArgv: isTexts,
};
const OPTIONS: { readonly [Name in keyof Required<OnnxPipelineOptions>]: Check } = {
  folder: isText,
  ...FOLDER_OPTIONS,
};
const SUBJECT = 'Invalid onnxPipeline options';

/** {@link onnxPipeline}, and the same from a folder. */
export interface OnnxPipeline {
  (description: OnnxDescription, options?: OnnxPipelineOptions): Pipeline;
  /**
   * A pipeline from a folder with `antenna.json` and the files that it names.
   * @throws AntennaConfigError when there is none, or naming every wrong field.
   */
  fromFolder(folder: string, options?: Omit<OnnxPipelineOptions, 'folder'>): Pipeline;
}

/**
 * A pipeline of ONNX models: a detector, and classifiers for what it finds. Give it to `AntennaWorker`.
 *
 * What can be known without running a model is checked here: fields, files, labels, the packages `onnxruntime-node` and `sharp`. Models are
 * loaded, run once and checked against the description when the worker starts, before it takes any task; `run()` rejects with an
 * `AntennaConfigError` that says what was found and what was expected.
 *
 * Memory stays within `runtime.memoryBytes`, the models' own, and a few rows (of formats that cannot be read from top to bottom, such as
 * interlaced PNG: one image) for each image that is being decoded.
 * @throws AntennaConfigError naming every wrong field.
 */
export const onnxPipeline: OnnxPipeline = Object.assign(build, {
  fromFolder: (folder: string, options: Omit<OnnxPipelineOptions, 'folder'> = {}): Pipeline => {
    checkArguments({ folder }, { folder: isText });
    checkOptions(SUBJECT, options, FOLDER_OPTIONS);
    return build(readDescription(folder), { ...options, folder });
  },
});

function build(description: OnnxDescription, options: OnnxPipelineOptions = {}): Pipeline {
  checkOptions(SUBJECT, options, OPTIONS);
  checkPeers();
  const resolved = resolveDescription(description, options.folder ?? process.cwd());
  return definePipeline({
    ...resolved.config,
    batchSize: resolved.batchSize,
    executor: () => new OnnxExecutor({ description: resolved, execArgv: options.execArgv }),
  });
}

function readDescription(folder: string): OnnxDescription {
  const file = join(folder, DESCRIPTION_FILE);
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as OnnxDescription;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = error instanceof Error ? error.message : String(error);
    const message = missing ? `there is no ${file}` : `${file} cannot be read: ${why}`;
    throw new AntennaConfigError('Invalid folder of ONNX models', [{ path: '', message }]);
  }
}
