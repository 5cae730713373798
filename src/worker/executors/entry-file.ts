import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { AntennaConfigError } from '../../errors/config.js';
import { either, isA, isText } from '../../errors/arguments.js';

/** Address of this file. `__filename` exists in the CommonJS build only, where `import.meta` is empty. */
export const HERE = typeof __filename === 'string' ? pathToFileURL(__filename).href : import.meta.url;

/**
 * The file that a thread or process starts with. In the package it lies beside this one, as JavaScript; in the sources it is TypeScript, in
 * its own folder.
 * @throws AntennaConfigError when it is not there, which is so after bundling.
 */
export function entryFile(
  name: 'executor-thread' | 'executor-child' | 'onnx-session' | 'onnx-prepare',
): string {
  for (const place of ['.', '../../onnx'])
    for (const extension of ['js', 'ts']) {
      const path = fileURLToPath(new URL(`${place}/${name}.${extension}`, HERE));
      if (existsSync(path)) return path;
    }
  const message = `${name}.js is not beside the code that needs it. A bundler left it behind: keep antenna-sdk external, or use the inline executor`;
  throw new AntennaConfigError('Cannot start a handler outside of this thread', [{ path: '', message }]);
}

/** What {@link modulePath} takes. */
export const isModule = either(
  "must be new URL('./handler.js', import.meta.url) or an absolute path",
  isText,
  isA(URL),
);

/**
 * The path of a handler module.
 * @throws AntennaConfigError when it is not a path or file URL of an existing file.
 */
export function modulePath(module: string | URL): string {
  const text = String(module);
  const path = text.startsWith('file:') && URL.canParse(text) ? fileURLToPath(text) : text;
  if (existsSync(path)) return path;
  const message = `${JSON.stringify(path)} does not exist; give new URL('./handler.js', import.meta.url) or an absolute path`;
  throw new AntennaConfigError('Invalid executor options', [{ path: 'module', message }]);
}
