/**
 * Pipelines of ONNX models, from a folder with a description.
 * @module antenna-sdk/onnx
 */
export { ONNX_DEFAULTS, onnxDescriptionSchema, PROVIDERS, type OnnxDescription } from './description.js';
export type { ImageTimings } from './detect.js';
export { ONNX_CHANNELS, type OnnxImageSpan } from './executor.js';
export { inspectOnnxModel, type OnnxModelFacts } from './inspect.js';
export { LAYOUTS, type LayoutKind } from './layouts.js';
export { DESCRIPTION_FILE, onnxPipeline, type OnnxPipeline, type OnnxPipelineOptions } from './pipeline.js';
export { NORMALISATIONS, type Normalisation } from './pixels.js';
export type { DeclaredTensor } from './tensors.js';
