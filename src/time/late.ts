/**
 * Loads a part of the package when it is first needed. One that could not be loaded is tried again with the next call: a process that
 * was short of file descriptors for a moment must not be without it for ever.
 */
export function late<Part>(load: () => Promise<Part>): () => Promise<Part> {
  let part: Promise<Part> | undefined;
  return () =>
    (part ??= load().catch((error: unknown) => {
      part = undefined;
      throw error;
    }));
}
