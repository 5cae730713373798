/**
 * What somebody should know who has just been given a file with a secret: the mode that it was written with protects nothing on Windows.
 * @returns undefined where the mode does.
 */
export function accessNote(platform: NodeJS.Platform = process.platform): string | undefined {
  if (platform !== 'win32') return undefined;
  return 'On Windows the access list of its folder says who may read the key file: keep it in a folder of the worker’s user alone';
}
