// Prints the milliseconds that each dependency takes, then what is left for the package itself, then undici, which the package
// loads with its first request.
const parts = {};
for (const [title, name] of [
  ['zod', 'zod'],
  ['pino', 'pino'],
  ['p-retry', 'p-retry'],
  ['antenna-sdk itself', 'antenna-sdk'],
  ['undici, later', 'undici'],
]) {
  const start = performance.now();
  await import(name);
  parts[title] = performance.now() - start;
}
console.log(JSON.stringify(parts));
