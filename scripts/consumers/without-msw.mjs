// A worker in production, where msw is not installed: the main entry needs it in neither build.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
assert.throws(() => require.resolve('msw'), { code: 'MODULE_NOT_FOUND' }, 'msw must not be installed here');
assert.equal(typeof (await import('antenna-sdk')).AntennaClient, 'function');
assert.equal(typeof require('antenna-sdk').AntennaClient, 'function');

// The testing entry may need it, and then says so itself.
await import('antenna-sdk/testing').catch((error) => assert.match(error.message, /msw/));
