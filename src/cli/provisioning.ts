import { resolve } from 'node:path';
import type { Dialect, Provisioned, ProvisionOptions } from '../index.js';
import { accessNote } from './access-note.js';
import { connect } from './connect.js';
import { UsageError } from './exit-codes.js';
import type { Frame } from './frame.js';

const DEFAULT_KEY_FILE = 'antenna-api-key';

/** What is provisioned, beyond what the settings say. */
export type Wanted = Pick<ProvisionOptions, 'pipelines' | 'rotateKey'>;

/** What was done, and where the key is. */
export interface Outcome {
  readonly provisioned: Provisioned;
  readonly keyFile: string | undefined;
}

/** Provisions by the settings and writes the key, which is shown nowhere. @throws UsageError, ProvisioningError, KeyFileError. */
export async function provisionBy(frame: Frame, wanted: Wanted): Promise<Outcome> {
  const { settings, options, cwd } = frame;
  const { provision, ProvisioningError, writeKeyFile } = await import('../index.js');
  const { project, serviceName } = settings;
  const [id] = project ?? [];
  if (id === undefined || project?.length !== 1) throw new UsageError('Name one project: --project ID');
  if (serviceName === undefined) throw new UsageError('Name the service: --service-name NAME');
  const path = resolve(cwd, typeof options['keyFile'] === 'string' ? options['keyFile'] : DEFAULT_KEY_FILE);
  await using client = await connect(frame, { who: 'user' });
  const dialect = settings.dialect as Dialect | undefined;
  try {
    const provisioned = await provision(client, { ...wanted, project: id, serviceName, dialect });
    if (provisioned.key) await writeKeyFile(path, provisioned.key);
    return { provisioned, keyFile: provisioned.key && path };
  } catch (error) {
    // A key is shown once: what was made before the failure must not be lost with it.
    if (error instanceof ProvisioningError && error.key) {
      await writeKeyFile(path, error.key);
      frame.out.note(`The key that was made already is in ${path}.`);
    }
    // A login that failed does not tell whether anything is there at all, and what is to be done differs.
    if (error instanceof ProvisioningError && error.code === 'provisioning_credential')
      await client.probeDialect({ retries: 0 });
    throw error;
  }
}

const KEY_OUTCOMES: Readonly<Record<Provisioned['keyOutcome'], string>> = {
  generated: 'made a key',
  rotated: 'made a new key; the old one has ended',
  kept: 'kept the key that it has',
  unsupported: 'this kind of server has no keys',
};

/** Says what was done and what comes next. */
export function tell({ out }: Frame, { provisioned, keyFile }: Outcome): void {
  const { service, serviceOutcome, keyOutcome, project, registration, dialect } = provisioned;
  const note = keyFile === undefined ? undefined : accessNote();
  const notes = [...provisioned.notes, ...(note === undefined ? [] : [note])];
  const shown = {
    ok: true,
    project,
    service: { id: service.id, name: service.name },
    serviceOutcome,
    keyOutcome,
  };
  out.document({
    ...shown,
    keyFile,
    dialect,
    registration: registration && { ok: registration.ok, deviations: registration.deviations },
    notes,
  });
  out.line(
    `${out.paint.green('✓')} service ${service.name} (id ${service.id}) in project ${project.id} ${project.name}: ${serviceOutcome}`,
  );
  out.line(
    `${out.paint.green('✓')} ${KEY_OUTCOMES[keyOutcome]}${keyFile === undefined ? '' : `, in ${keyFile}`}`,
  );
  if (registration) {
    const slugs = registration.pipelines.map(({ slug }) => slug).join(', ');
    out.line(`${registration.ok ? out.paint.green('✓') : out.paint.red('✗')} registered: ${slugs}`);
    for (const { message } of registration.deviations) out.line(`    ${message}`);
  }
  for (const note of notes) out.line(`  ${note}`);
  if (keyFile !== undefined)
    out.line(`Next: antenna doctor --api-key-file ${keyFile} --project ${project.id}`);
}
