// An ES module consumer: every export of the source is there, and an error is what its class says.
import assert from 'node:assert/strict';
import * as sdk from 'antenna-sdk';
import { existsSync } from 'node:fs';
import { helperPath } from 'antenna-sdk/python';
import * as testing from 'antenna-sdk/testing';

const expected = JSON.parse(process.argv[2]);
assert.deepEqual(Object.keys(sdk).sort(), expected.main);
assert.deepEqual(Object.keys(testing).sort(), expected.testing);
assert.throws(() => new sdk.AntennaClient({ baseUrl: 'no address' }), sdk.AntennaConfigError);
assert.ok(existsSync(helperPath));
assert.equal(sdk.pythonHelperPath(), helperPath);
