// A parent that will be killed: prints the pid of what it has started.
const { ProcessGroup } = await import('../../../../src/worker/executors/process-group.ts');
const quiet = () => undefined;
const group = new ProcessGroup({
  command: 'sleep',
  args: ['1000'],
  logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
});
console.log(group.pid);
setInterval(quiet, 1_000);
