import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that behaves as a mounted secret does. */
export interface MountedSecret {
  readonly path: string;
  /** Renews the secret as kubelet does: a new folder beside the old one, then an atomic swap of the `..data` link. */
  update(value: string): Promise<void>;
  unmount(): Promise<void>;
}

export async function mountSecret(name: string, value: string): Promise<MountedSecret> {
  const folder = await mkdtemp(join(tmpdir(), 'mounted-secret-'));
  let version = 0;
  const update = async (next: string): Promise<void> => {
    const previous = `..version-${version}`;
    const current = `..version-${(version += 1)}`;
    await mkdir(join(folder, current));
    await writeFile(join(folder, current, name), next, { mode: 0o600 });
    await symlink(current, join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    await rm(join(folder, previous), { recursive: true, force: true });
  };
  await update(value);
  await symlink(join('..data', name), join(folder, name));
  return { path: join(folder, name), update, unmount: () => rm(folder, { recursive: true }) };
}
