import { z } from 'zod';
import { categoryMapSchema, MAX_NAME_CHARS } from '../contract/registration.js';
import { LAYOUTS } from './layouts.js';
import { NORMALISATIONS } from './pixels.js';

const nameSchema = z.string().trim().min(1).max(MAX_NAME_CHARS);
const fileSchema = z.string().min(1);
const shareSchema = z.number().min(0).max(1);
const tripleSchema = z.tuple([z.number(), z.number(), z.number()]);
const sideSchema = z.int().min(1).max(16_384);

const presets = Object.keys(NORMALISATIONS) as (keyof typeof NORMALISATIONS)[];
const normaliseSchema = z.union(
  [
    z.enum(presets),
    z.strictObject({
      /** Factor of the bytes. Default 1/255. */
      scale: z.number().optional(),
      /** Taken off after that, a channel each, in the model's order. Default 0. */
      mean: tripleSchema.optional(),
      /** Divisor after that. Default 1. */
      std: tripleSchema
        .refine((std) => std.every((deviation) => deviation !== 0), 'must not be 0')
        .optional(),
    }),
  ],
  { error: `must be ${presets.join(', ')}, or { scale, mean, std }` },
);
const inputSizeSchema = z.union([sideSchema, z.strictObject({ width: sideSchema, height: sideSchema })], {
  error: 'must be a whole number of pixels, or { width, height }',
});

/** What every model of a description has. */
const modelShape = {
  /** The ONNX file; relative to the folder of `antenna.json`, or to the working directory. */
  model: fileSchema,
  /** Key of the algorithm on the server. Default: the pipeline's slug with `-detector` or `-classifier` and a number. */
  key: nameSchema.optional(),
  /** Name of the algorithm on the server. Default: its key. */
  name: nameSchema.optional(),
  /** Version of the algorithm. Default: the pipeline's. */
  version: z.int().optional(),
  description: z.string().optional(),
  /** Where the model is published. */
  uri: z.string().optional(),
  /** Size of the model's input in pixels, for files that leave it open. Default 640 for detectors, 224 for classifiers. */
  inputSize: inputSizeSchema.optional(),
  /** Numbers in place of the bytes. Default `unit` for detectors (`imagenet` for DETR), `imagenet` for classifiers. */
  normalise: normaliseSchema.optional(),
  /** Order of the channels. Default `rgb`; models of OpenCV code may want `bgr`. */
  channels: z.enum(['rgb', 'bgr']).optional(),
  /** Filter that scales the pixels. Default `linear`. */
  resample: z.enum(['nearest', 'linear', 'cubic', 'lanczos3']).optional(),
  /** Byte of what is not image. Default 114 for detectors, 0 for classifiers. */
  padding: z.int().min(0).max(255).optional(),
  /** Name of the output to read, of models with several alike. */
  outputName: z.string().min(1).optional(),
};

/** Slices of the image in the size of the model's input, so that small insects in a large image keep their pixels. */
const tilesSchema = z.strictObject({
  /** Factors by which the image is scaled before it is cut. Default `[1]`: as it is. */
  scales: z.array(z.number().positive().max(4)).min(1).optional(),
  /** Part of a tile that its neighbours show as well. Default 0.2; insects longer than that are seen whole in no tile. */
  overlap: z.number().min(0).max(0.9).optional(),
  /** Shows the model the whole image too, for the insects that are larger than a tile. Default true. */
  wholeImage: z.boolean().optional(),
  /** Tiles of an image at most; one that needs more fails. Default 512. */
  maxTiles: z.int().min(1).optional(),
});

const detectorSchema = z.strictObject({
  ...modelShape,
  /** How the model gives its boxes. Default `auto`: told by names, shapes and labels, and asked for where they leave a choice. */
  output: z.enum(['auto', ...LAYOUTS]).optional(),
  /** How the image is brought to the input's size. Default `letterbox`; `stretch` for DETR and RT-DETR. */
  fit: z.enum(['letterbox', 'letterbox-corner', 'stretch']).optional(),
  /** Names of the classes in the order of the training, or a file of them. They tell the layout; Antenna stores no class of a detection. */
  labels: z.union([z.array(z.string()).min(1), fileSchema]).optional(),
  /** Classes whose boxes are kept. Default: all. */
  keep: z.array(z.string()).min(1).optional(),
  /** Scores below make no detection. Default 0.25. */
  confidence: shareSchema.optional(),
  /** Intersection over union above which the lower score of two boxes goes. Default 0.45. */
  iou: shareSchema.optional(),
  /** Whether boxes of different classes suppress each other. Default true: Antenna stores no class, so both would be the same insect twice. */
  agnostic: z.boolean().optional(),
  /** Detections of an image at most, those with the best scores. Default 300. */
  maxDetections: z.int().min(1).optional(),
  /** Slices of the image, for small insects in large images. Default: the whole image, once. */
  tiles: tilesSchema.optional(),
});

const classifierSchema = z
  .strictObject({
    ...modelShape,
    /** Names of the classes in the order of the outputs, or a file of them: a line each, or a JSON array. */
    labels: z.union([z.array(z.string()).min(1), fileSchema]).optional(),
    /** A category map as Antenna stores it, or a JSON file with one, in place of `labels`. */
    categoryMap: z.union([categoryMapSchema, fileSchema]).optional(),
    /** What is cut out of the image. Default `{ padding: 0, square: true }`. */
    crop: z
      .strictObject({
        /** Added on each side, as a part of the box's longer side. Default 0. */
        padding: z.number().min(0).max(10).optional(),
        /** Grown to a square, so that the insect keeps its proportions. Default true. */
        square: z.boolean().optional(),
      })
      .optional(),
    /** What makes scores of the outputs. Default `softmax`; `none` for models that end with one. */
    activation: z.enum(['softmax', 'sigmoid', 'none']).optional(),
    /** Runs only on insects that an earlier classifier gave one of these labels. Default: on all. */
    after: z
      .strictObject({
        /** Key of the earlier classifier. */
        algorithm: z.string().min(1),
        labels: z.array(z.string()).min(1),
      })
      .optional(),
    /** Whether its word is the last on an insect. Default: true where no other classifier follows for that insect. */
    terminal: z.boolean().optional(),
  })
  .refine(
    ({ labels, categoryMap }) => (labels === undefined) !== (categoryMap === undefined),
    'must have labels or categoryMap, and not both',
  );

/** Execution providers of ONNX Runtime, in the names of its Node package. */
export const PROVIDERS = ['cuda', 'tensorrt', 'coreml', 'dml', 'webgpu', 'cpu'] as const;

const runtimeSchema = z.strictObject({
  /** Execution providers in order of wish; `cpu` is always the last. Default: the one of the platform (`cuda`, `coreml`, `dml`), then `cpu`. */
  providers: z.array(z.enum(PROVIDERS)).optional(),
  /** Threads with a copy of the models each. Default 1. */
  sessions: z.int().min(1).max(64).optional(),
  /** CPU threads of one session. Default: the cores that decoding leaves, shared by the sessions and by `workersPerMachine`. */
  threadsPerSession: z.int().min(1).optional(),
  /** Threads that decode and cut images. Default: half of this worker's share of the cores, 1 to 4. */
  prepareThreads: z.int().min(1).max(64).optional(),
  /** Workers that share this machine's cores. Default: `ANTENNA_WORKERS_PER_MACHINE`, or 1. */
  workersPerMachine: z.int().min(1).optional(),
  /** Tiles or crops in one call of a model at most, where its batch may vary. Default 4. */
  modelBatch: z.int().min(1).max(1024).optional(),
  /** Bytes of decoded images and of inputs on their way to a model. An image that needs more fails. Default 512 MiB. */
  memoryBytes: z.int().min(1).optional(),
});

/** A pipeline of ONNX models, as `antenna.json` holds it. */
export const onnxDescriptionSchema = z.strictObject({
  /** Address of this schema, for editors. */
  $schema: z.string().optional(),
  /** Name of the pipeline, for people. */
  name: nameSchema,
  /** Name of the pipeline in jobs and addresses; it never changes. */
  slug: nameSchema,
  /** Version of the pipeline; a new one for every change of a model. */
  version: z.int(),
  description: z.string().optional(),
  /** Finds the insects. */
  detector: detectorSchema,
  /** Run in order on what the detector found. Default: none. */
  classifiers: z.array(classifierSchema).optional(),
  runtime: runtimeSchema.optional(),
  /** Images that the worker hands over at once at most. Default 4. */
  batchSize: z.int().min(1).optional(),
});

/** Options of `onnxPipeline`, and the contents of `antenna.json`. */
export type OnnxDescription = z.input<typeof onnxDescriptionSchema>;
export type DetectorDescription = z.output<typeof detectorSchema>;
export type ClassifierDescription = z.output<typeof classifierSchema>;
export type RuntimeDescription = z.output<typeof runtimeSchema>;
export type NormaliseDescription = z.output<typeof normaliseSchema>;

/** Defaults of a description, one sentence each. */
export const ONNX_DEFAULTS = {
  /** Size of a detector's input, where the file leaves it open: that of the YOLO family. */
  detectorInput: 640,
  /** Size of a classifier's input, where the file leaves it open. */
  classifierInput: 224,
  /** Grey around an image, as the YOLO family is trained. */
  detectorPadding: 114,
  /** Scores below make no detection. */
  confidence: 0.25,
  /** Overlap above which one of two boxes goes. */
  iou: 0.45,
  /** Detections of an image. */
  maxDetections: 300,
  /** Part of a tile that its neighbours show too. */
  overlap: 0.2,
  /** Tiles of an image. */
  maxTiles: 512,
  /** Tiles or crops in one call of a model. */
  modelBatch: 4,
  /** Decoded images and inputs in memory, in bytes. */
  memoryBytes: 512 * 1024 * 1024,
  /** Images in one call of the executor. */
  batchSize: 4,
} as const;
