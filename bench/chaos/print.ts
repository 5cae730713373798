import type { FaultCounts } from './faults.js';
import type { MemoryCourse } from './memory.js';
import type { ChaosOutcome } from './outcome.js';
import type { SlowSaving } from './trouble.js';

/** The ledger as text, a line each. */
export function describeOutcome(outcome: ChaosOutcome): string[] {
  const { settings, ledger, crew, memory, requests } = outcome;
  const seconds = outcome.durationMs / 1_000;
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none';
  return [
    `seed ${settings.seed}, ${settings.tasks} tasks, ${settings.workers} worker processes, leases of ${settings.leaseMs / 1_000} s, ${settings.maxDeliveries} deliveries at most`,
    `${seconds.toFixed(1)} s, ${(settings.tasks / seconds).toFixed(0)} tasks/s; the job is ${outcome.jobStatus}`,
    `outcomes: ${ledger.succeeded} successes, ${ledger.errors} errors, ${ledger.dead.length} dead, ${ledger.lost.length} lost`,
    ...ledger.dead.map((cause) => `  dead: ${cause}`),
    `results accepted: ${outcome.resultsAccepted}, of which counted before: ${outcome.countedAgain}`,
    `beside it: ${outcome.sides.dead} deliveries of a job with a dead image host, ${outcome.sides.hanging} of one whose posts hang`,
    `tasks by deliveries needed: ${ledger.deliveries.map((count, index) => `${index + 1}: ${count}`).join(', ')}`,
    `slow saving: ${describeSlowSaving(outcome.slowSaving)}`,
    `handler runs: ${ledger.handlerRuns}, beyond one a task: ${ledger.duplicates} (${(ledger.duplicateShare * 100).toFixed(2)} %), cut off by a kill: ${ledger.cutOff}`,
    `processes: ${crew.starts} started, ${crew.kills} killed, ${crew.gaveUp.length} gave up (codes ${crew.gaveUp.join(', ') || 'none'})`,
    `spool: ${outcome.replayedFiles} files with ${outcome.replayedResults} results posted after a kill; not posted: ${list(outcome.notReplayed)}`,
    `API requests: ${describeFaults(requests.api)}, in the outage ${requests.outage}`,
    `image requests: ${describeFaults(requests.images)}`,
    `events: ${list(outcome.events)}`,
    `memory of the worker that was never killed: ${describeMemory(memory.steady)}`,
    `memory of the runner, the server in it: ${describeMemory(memory.runner)}`,
    `memory of the other workers: at most ${mebibytes(memory.highestOfOthers)}`,
    ledger.findings.length === 0 ? 'every promise was kept' : 'BROKEN PROMISES:',
    ...ledger.findings.map((finding) => `  ${finding}`),
    ...(ledger.findings.length === 0 ? [] : [`logs and journals: ${outcome.folder}`]),
  ];
}

function describeFaults({ requests, byKind }: FaultCounts): string {
  const percent = (count: number): string => `${((100 * count) / Math.max(1, requests)).toFixed(1)} %`;
  const kinds = Object.entries(byKind).map(([kind, count]) => `${kind} ${count} (${percent(count)})`);
  return `${requests}: ${kinds.join(', ')}`;
}

function describeSlowSaving(slow: SlowSaving | undefined): string {
  if (!slow) return 'never begun';
  const { durationMs, waited, deliveries, saved } = slow;
  return `${(durationMs / 1_000).toFixed(1)} s, ${saved} results counted, ${deliveries} tasks delivered, at most ${waited} results waited`;
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

function describeMemory(course: MemoryCourse | undefined): string {
  if (!course) return 'too few samples';
  const { early, late, ratio, slopePerMinute, highest, samples } = course;
  return `${mebibytes(early)} early, ${mebibytes(late)} late (${ratio.toFixed(2)} x), slope ${mebibytes(slopePerMinute)}/min, at most ${mebibytes(highest)}, ${samples} samples`;
}
