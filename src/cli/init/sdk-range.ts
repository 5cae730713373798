import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * What a new package.json says of antenna-sdk: the range of this version, or the file that this copy was installed from, where a registry may
 * not have it.
 * @param home - folder of the installed package.
 */
export function sdkRange(home: string, version: string): string {
  const root = resolve(home, '../..');
  try {
    // npm's own record of what it has installed, and from where.
    const { packages } = JSON.parse(readFileSync(join(root, 'node_modules/.package-lock.json'), 'utf8')) as {
      readonly packages: Readonly<Record<string, { readonly resolved?: string } | undefined>>;
    };
    const from = packages['node_modules/antenna-sdk']?.resolved;
    if (from?.startsWith('file:') === true) return `file:${resolve(root, from.slice('file:'.length))}`;
  } catch {
    // Installed by another package manager, or not installed at all.
  }
  return `^${version}`;
}
