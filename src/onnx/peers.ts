import { createRequire } from 'node:module';
import { AntennaConfigError } from '../errors/config.js';
import { HERE } from '../worker/executors/entry-file.js';

/** What this entry point needs beside the package itself. */
const PEERS = ['onnxruntime-node', 'sharp'] as const;

/**
 * Whether the packages are there that run models and decode images. They are not installed with antenna-sdk: together they are over 300 MB,
 * which a client has no use for.
 * @throws AntennaConfigError with the command that installs what is missing.
 */
export function checkPeers(
  resolve: (name: string) => unknown = (name) => createRequire(HERE).resolve(name),
): void {
  const missing = PEERS.filter((name) => !isThere(name, resolve));
  if (missing.length === 0) return;
  const message =
    `${missing.join(' and ')} cannot be found. Install with: npm install ${missing.join(' ')}` +
    (missing.includes('onnxruntime-node')
      ? ' (on Linux, --onnxruntime-node-install=skip leaves out the CUDA libraries)'
      : '');
  throw new AntennaConfigError('antenna-sdk/onnx needs packages of its own', [{ path: '', message }]);
}

function isThere(name: string, resolve: (name: string) => unknown): boolean {
  try {
    resolve(name);
    return true;
  } catch {
    return false;
  }
}
