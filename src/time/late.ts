/**
 * How many parts are being loaded. That takes time of the real world, in which a clock of a test must stand still: hours passed on one
 * before the advice for a 401 was there.
 */
export const partsLoading = (): number => loading;
let loading = 0;

/**
 * Loads a part of the package when it is first needed. One that could not be loaded is tried again with the next call: a process that
 * was short of file descriptors for a moment must not be without it for ever.
 */
export function late<Part>(load: () => Promise<Part>): () => Promise<Part> {
  let part: Promise<Part> | undefined;
  const begin = (): Promise<Part> => {
    loading++;
    return load()
      .catch((error: unknown) => {
        part = undefined;
        throw error;
      })
      .finally(() => loading--);
  };
  return () => (part ??= begin());
}
