import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** A GPU as `nvidia-smi` tells of it. */
export interface Gpu {
  readonly index: number;
  readonly name: string;
  readonly totalMiB: number;
  readonly usedMiB: number;
  /** Per cent; undefined where the driver does not say. */
  readonly utilization: number | undefined;
}

const QUERY = [
  '--query-gpu=index,name,memory.total,memory.used,utilization.gpu',
  '--format=csv,noheader,nounits',
];
/** A driver that hangs must not hang a worker's start. */
const TIMEOUT_MS = 5_000;

/** The machine's GPUs; none where there is no `nvidia-smi`, or it fails. */
export async function readGpus(env: Readonly<Record<string, string | undefined>>): Promise<readonly Gpu[]> {
  try {
    const { stdout } = await promisify(execFile)('nvidia-smi', QUERY, {
      timeout: TIMEOUT_MS,
      windowsHide: true,
      env: { ...env },
    });
    return visible(parseGpus(stdout), env['CUDA_VISIBLE_DEVICES']);
  } catch {
    return [];
  }
}

/** @param csv - a line for each GPU; a line that cannot be read costs itself alone. */
function parseGpus(csv: string): Gpu[] {
  return csv.split('\n').flatMap((line) => {
    const [index, name, total, used, utilization] = line.split(',').map((cell) => cell.trim());
    if (index === undefined || !/^\d+$/.test(index) || !name || !/^\d+$/.test(total ?? '')) return [];
    const percent = Number(utilization);
    return [
      {
        index: Number(index),
        name,
        totalMiB: Number(total),
        usedMiB: Number(used) || 0,
        utilization: Number.isFinite(percent) && utilization !== '' ? percent : undefined,
      },
    ];
  });
}

/** `CUDA_VISIBLE_DEVICES` is how people pick GPUs: what they hid stays hidden. Names of another form than numbers are left to CUDA. */
function visible(gpus: readonly Gpu[], devices: string | undefined): readonly Gpu[] {
  if (devices === undefined) return gpus;
  const wanted = devices.split(',').map((device) => device.trim());
  if (devices.trim() === '' || wanted[0] === '-1') return [];
  if (!wanted.every((device) => /^\d+$/.test(device))) return gpus;
  return wanted.flatMap((device) => gpus.find(({ index }) => index === Number(device)) ?? []);
}

/** `NVIDIA H100, 81559 MiB`. */
export function describeGpu({ name, totalMiB }: Gpu): string {
  return `${name}, ${totalMiB} MiB`;
}
