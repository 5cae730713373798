// A program that has a handler in a child process and is killed.
import { CommandExecutor } from '../../../../src/worker/executors/command/command-executor.js';
import { contextOf, imagesOf } from '../support.js';
import { FAKE } from './fake-path.js';

const executor = new CommandExecutor({ command: process.execPath, args: [FAKE] });
const [outcome] = await executor.run(imagesOf('a'), contextOf());
process.stdout.write(outcome?.ok ? String((outcome.result as unknown as { pid: number }).pid) : 'failed');
setInterval(() => undefined, 1_000);
