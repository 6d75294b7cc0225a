/** What the runtime says of itself as series: restarts, dead letters, mailboxes, lanes, event loops, memory. Pure. */
import type { MetricLabels } from '../runtime/metrics.ts';
import type { ActorSnapshot, SystemSnapshot } from '../runtime/snapshot.ts';
import type { ScalarSeries } from './series.ts';

const BYTES_PER_MB = 1_048_576;

/** Memory of the process as the platform reports it, bytes. */
export interface ProcessMemory {
  readonly rss: number;
  /** Of the main thread. */
  readonly heapUsed: number;
}

export function systemSeries(snapshot: SystemSnapshot): readonly ScalarSeries[] {
  return [...actorSeries(snapshot), ...threadSeries(snapshot), ...supervisorSeries(snapshot)];
}

/** `snapshot`: for the heaps of the other threads; without one only the main thread's is known. */
export function memorySeries(memory: ProcessMemory, snapshot: SystemSnapshot | undefined): readonly ScalarSeries[] {
  const others = (snapshot?.threads ?? []).filter(({ name }) => name !== 'main');
  const heapUsed = others.reduce((sum, { heapUsedBytes = 0 }) => sum + heapUsedBytes, memory.heapUsed);
  return [gauge('system_rss_mb', memory.rss / BYTES_PER_MB), gauge('system_heap_used_mb', heapUsed / BYTES_PER_MB)];
}

function actorSeries({ actors, deadLetters }: SystemSnapshot): readonly ScalarSeries[] {
  const reasons = Object.entries(deadLetters.byReason);
  const byClass = { merged: 0, evicted: 0, refused: 0 };
  for (const { mailbox } of actors) {
    byClass.merged += mailbox.merged;
    byClass.evicted += mailbox.evicted;
    byClass.refused += mailbox.refused;
  }
  return [
    ...actors.map(({ path, restarts }) => counter('actor_restarts_total', restarts, { actor: path })),
    // Zero is news too: without it nobody knows that this is counted.
    ...(reasons.length === 0 ? [counter('dead_letters_total', 0, { reason: 'none' })] : []),
    ...reasons.map(([reason, count]) => counter('dead_letters_total', count, { reason })),
    // Overwritten and pushed out is what market and state messages are; must-deliver ones can only be refused.
    counter('messages_dropped_total', byClass.merged, { class: 'conflated' }),
    counter('messages_dropped_total', byClass.evicted, { class: 'market' }),
    counter('messages_dropped_total', byClass.refused, { class: 'must-deliver' }),
    gauge('actors_running', actors.filter(({ status }) => status === 'running').length),
    ...countedEvents(actors),
  ];
}

/** What actors count themselves, all of a kind together: each symbol by itself would be thousands of series. */
function countedEvents(actors: readonly ActorSnapshot[]): readonly ScalarSeries[] {
  const sums = new Map<string, { readonly kind: string; readonly event: string; value: number }>();
  for (const { kind, counters } of actors)
    for (const [event, count] of Object.entries(counters)) {
      const key = `${kind} ${event}`;
      const sum = sums.get(key) ?? { kind, event, value: 0 };
      sum.value += count;
      sums.set(key, sum);
    }
  return [...sums.values()].map(({ kind, event, value }) => counter('actor_events_total', value, { kind, event }));
}

function threadSeries({ threads, actors }: SystemSnapshot): readonly ScalarSeries[] {
  return threads.flatMap(({ name, loopDelay, lanes, lostWakeUps, logRecordsDropped }) => {
    const labels = { thread: name };
    const own = actors.filter(({ thread }) => thread === name).map(({ mailbox }: ActorSnapshot) => mailbox);
    return [
      ...(loopDelay === undefined ? [] : [gauge('event_loop_delay_ms', loopDelay.p99Ms, labels)]),
      counter('lost_wake_ups_total', lostWakeUps, labels),
      counter('log_records_dropped_total', logRecordsDropped, labels),
      gauge(
        'mailbox_depth',
        sumOf(own, ({ depthTotal }) => depthTotal),
        labels,
      ),
      gauge('mailbox_oldest_age', Math.max(0, ...own.map(({ oldestAgeMs }) => oldestAgeMs)), labels),
      ...lanes
        .filter(({ capacityBytes }) => capacityBytes > 0)
        .map(({ to, lane, usedBytes, capacityBytes }) =>
          gauge('lane_used_ratio', usedBytes / capacityBytes, { thread: name, to, lane }),
        ),
    ];
  });
}

function supervisorSeries({ supervisors }: SystemSnapshot): readonly ScalarSeries[] {
  return supervisors.map(({ path, restartsInPeriod, intensity }) =>
    gauge('restart_intensity_ratio', intensity === 0 ? restartsInPeriod : restartsInPeriod / intensity, {
      supervisor: path,
    }),
  );
}

function sumOf<Value>(values: readonly Value[], amount: (value: Value) => number): number {
  return values.reduce((sum, value) => sum + amount(value), 0);
}

function counter(name: string, value: number, labels: MetricLabels = {}): ScalarSeries {
  return { kind: 'counter', name, labels, value };
}

function gauge(name: string, value: number, labels: MetricLabels = {}): ScalarSeries {
  return { kind: 'gauge', name, labels, value };
}
