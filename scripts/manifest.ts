import { readFileSync } from 'node:fs';

/** What the tools of a release read of `package.json`. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly repository?: string | { readonly url?: string };
  readonly homepage?: string;
  readonly bugs?: string | { readonly url?: string; readonly email?: string };
}

/** A file of the repository, as text. */
export function readHere(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
}

export function readManifest(): Manifest {
  return JSON.parse(readHere('package.json')) as Manifest;
}

/** The repository's address as it stands in the manifest; empty while the owner has not filled it. */
export function repositoryOf({ repository }: Manifest): string {
  return (typeof repository === 'string' ? repository : repository?.url) ?? '';
}

/** The repository as a browser opens it: `git+https://…/name.git` without what only git reads. */
export function webAddressOf(manifest: Manifest): string {
  return repositoryOf(manifest)
    .replace(/^git\+/, '')
    .replace(/\.git$/, '');
}
