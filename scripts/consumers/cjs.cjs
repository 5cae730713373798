// A CommonJS consumer, run without `require` of ES modules, as on Node 20.18.
const assert = require('node:assert/strict');
const sdk = require('antenna-sdk');

const expected = JSON.parse(process.argv[2]);
const names = (module) => Object.keys(module).sort();
assert.deepEqual(names(sdk), expected.main);
// Left out where the msw that is installed needs `require` of ES modules and there is none.
if (expected.testing) assert.deepEqual(names(require('antenna-sdk/testing')), expected.testing);
assert.equal(require('antenna-sdk/package.json').name, 'antenna-sdk');
assert.throws(() => new sdk.AntennaClient({ baseUrl: 'no address' }), sdk.AntennaConfigError);
assert.ok(require('node:fs').existsSync(require('antenna-sdk/python').helperPath));
