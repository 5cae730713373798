// What the import of the package is measured by: the two dependencies that every client needs.
require('zod');
require('undici');
