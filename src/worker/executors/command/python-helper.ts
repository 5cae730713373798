import { existsSync } from 'node:fs';
import { dirname, posix, win32 } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { AntennaConfigError } from '../../../errors/config.js';

/** `__filename` exists in the CommonJS build only, where `import.meta` is empty. */
const HERE = typeof __filename === 'string' ? pathToFileURL(__filename).href : import.meta.url;
/** Beside `dist` in the package, and at the root of the sources. */
const PLACES = ['../python/', '../../../../python/'].map((folder) => `${folder}antenna_handler.py`);

function find(): string | undefined {
  return PLACES.map((place) => fileURLToPath(new URL(place, HERE))).find((path) => existsSync(path));
}

/**
 * Path of `antenna_handler.py`: the file that a Python model imports, which needs nothing but Python 3.9. Copy it beside a model that is
 * installed without npm; a {@link CommandExecutor}'s processes find it as it is.
 * @throws AntennaConfigError when it is not there, which is so after bundling.
 */
export function pythonHelperPath(): string {
  const path = find();
  if (path !== undefined) return path;
  const message = 'a bundler left it behind: keep antenna-sdk external, or copy the file beside your model';
  throw new AntennaConfigError('antenna_handler.py is not in its place', [{ path: '', message }]);
}

/** `PYTHONPATH` with the helper's folder at its end: a copy beside the model, or one that was installed, is taken first. */
export function pythonPath(
  current: string | undefined,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  const path = find();
  if (path === undefined) return current;
  return [current, dirname(path)].filter(Boolean).join((platform === 'win32' ? win32 : posix).delimiter);
}
