export { AttachedExecutor, type AttachedExecutorOptions } from './attached-executor.js';
export type { EnvOf } from './child-env.js';
export { CommandExecutor, type CommandExecutorOptions } from './command-executor.js';
export type { ListenAddress, LoopbackAddress } from './listening.js';
export { HANDLER_PROTOCOL, type HandlerReady } from './messages.js';
export { pipelinesFromAttached, pipelinesFromCommand } from './pipelines.js';
export { pythonHelperPath } from './python-helper.js';
