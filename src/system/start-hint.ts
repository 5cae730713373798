/**
 * What may be wrong with a command that Windows did not start: it looks along PATH for `.com` and `.exe` alone, and Node starts no batch
 * file without a shell, which would read the arguments as its own language.
 * @returns words to add to an error, from `: ` on; nothing where there is nothing to say.
 */
export function startHint(command: string, platform: NodeJS.Platform = process.platform): string {
  if (platform !== 'win32') return '';
  if (isBatchFile(command))
    return ': on Windows a .cmd or .bat file is not started without a shell; give the program that it starts, such as node with the path of its script';
  if (/^python3?(?:\.\d+)?$/i.test(command))
    return ': on Windows Python is usually called python or py; give that, or the path of python.exe in its environment';
  return ': on Windows only .exe files are found by their name; for npx, npm and other .cmd files give the program that they start, such as node with the path of its script';
}

/** Whether Node refuses to start it on Windows (EINVAL), whatever is in it. */
export function isBatchFile(command: string): boolean {
  return /\.(?:bat|cmd)[\s.]*$/i.test(command);
}
