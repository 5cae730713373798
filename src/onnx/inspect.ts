import { checkArguments, isText } from '../errors/arguments.js';
import { checkPeers } from './peers.js';
import type { OrtModule } from './session-host.js';
import type { DeclaredTensor } from './tensors.js';

/** Inputs and outputs of a model file. */
export interface OnnxModelFacts {
  readonly inputs: readonly DeclaredTensor[];
  readonly outputs: readonly DeclaredTensor[];
}

/**
 * What a model file declares, for whoever writes a description of it. Loads it on the CPU, in this thread, and runs nothing.
 * @throws AntennaConfigError for a path that is no text, or when `onnxruntime-node` is not installed, an Error of the runtime when the file is no model.
 */
export async function inspectOnnxModel(path: string): Promise<OnnxModelFacts> {
  checkArguments({ path }, { path: isText });
  checkPeers();
  const namespace = (await import('onnxruntime-node')) as OrtModule & { readonly default?: OrtModule };
  const { InferenceSession } = namespace.default ?? namespace;
  const session = await InferenceSession.create(path, { executionProviders: ['cpu'], logSeverityLevel: 4 });
  const declared = (values: typeof session.inputMetadata): DeclaredTensor[] =>
    values.map((value) =>
      value.isTensor
        ? { name: value.name, type: value.type, shape: value.shape }
        : { name: value.name, type: 'not a tensor', shape: [] },
    );
  const facts = { inputs: declared(session.inputMetadata), outputs: declared(session.outputMetadata) };
  await session.release();
  return facts;
}
