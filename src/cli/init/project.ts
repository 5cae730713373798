/** Kinds of workers to start from. */
export const KINDS = {
  typescript: 'a handler in TypeScript, in this process',
  python: 'a handler in Python, in a process of its own',
  service: 'a processing service that speaks the push API, in Python',
  onnx: 'ONNX models and a description of them, no code',
} as const;

export type Kind = keyof typeof KINDS;

/** What the texts are made for. */
export interface Project {
  readonly kind: Kind;
  /** Of the package, the units and the array job: letters, digits and hyphens. */
  readonly name: string;
  /** Slug of its pipeline. */
  readonly slug: string;
  /** What package.json says of antenna-sdk: a range, or the file from which this command was installed. */
  readonly sdk: string;
}

/** A file to be written, below the folder of the worker. */
export interface StarterFile {
  readonly path: string;
  readonly content: string | Buffer;
  readonly executable?: boolean;
}
