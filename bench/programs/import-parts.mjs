// Prints the milliseconds that each dependency takes, and then what is left for the package itself.
const parts = {};
for (const name of ['undici', 'zod', 'pino', 'p-retry', 'antenna-sdk']) {
  const start = performance.now();
  await import(name);
  parts[name] = performance.now() - start;
}
console.log(JSON.stringify(parts));
