/** The parts of a contract server that need no msw, for the `antenna` command. Not an entry of the package. */
export { ImageHostCore } from './images/image-host-core.js';
export { parseSeed, plant, readSeedFile, withoutUndefined, type Planted } from './seed/plant.js';
export type { ContractServerSeed, ParsedSeed } from './seed/schema.js';
export { ContractServerCore } from './server-core.js';
export { listen, type Listener } from './transport/listen.js';
export type { JobHandle } from './build/job.js';
export type { ProjectHandle } from './build/project.js';
export type { RequestRecord, ResponseRecord, Reply } from './messages.js';
