/** The title of tests that run where something is there: where it is not, it says why they were skipped, and only there. */
export const orSkipped = (title: string, isThere: boolean, reason: string): string =>
  isThere ? title : `${title} (skipped: ${reason})`;
