/** Lays out what the runtime says of its actors and threads, busiest first. Pure functions; main thread. */
import { isRecord, numberOf } from './actor-rows.ts';
import type { ActorRow } from './actor-rows.ts';
import { formatCount, paint, span, table } from './terminal-text.ts';
import type { Column, Span, Style } from './terminal-text.ts';

const ACTOR_COLUMNS: readonly Column[] = [
  { title: 'path', align: 'left', sacrifice: 0 },
  { title: 'status', align: 'left', sacrifice: 0 },
  { title: 'thread', align: 'left', sacrifice: 3 },
  { title: 'life', align: 'right', sacrifice: 2 },
  { title: 'queued', align: 'right', sacrifice: 0 },
  { title: 'msg/s', align: 'right', sacrifice: 0 },
  { title: 'handled', align: 'right', sacrifice: 4 },
  { title: 'wait p99', align: 'right', sacrifice: 1 },
  { title: 'work p99', align: 'right', sacrifice: 1 },
];

const THREAD_COLUMNS: readonly Column[] = [
  { title: 'thread', align: 'left', sacrifice: 0 },
  { title: 'status', align: 'left', sacrifice: 0 },
  { title: 'life', align: 'right', sacrifice: 2 },
  { title: 'loop p99', align: 'right', sacrifice: 1 },
  { title: 'heap', align: 'right', sacrifice: 3 },
  { title: 'fullest lane', align: 'right', sacrifice: 1 },
  { title: 'wake-ups', align: 'right', sacrifice: 4 },
  { title: 'lost', align: 'right', sacrifice: 2 },
];

/** Returns the lines for one instant; `threads` is the answer of `/debug/threads`. */
export function renderActors(
  rows: readonly ActorRow[],
  threads: unknown,
  columns: number,
  isColored: boolean,
): readonly string[] {
  const busiestFirst = [...rows].sort(
    (left, right) =>
      right.ratePerSecond - left.ratePerSecond || right.queued - left.queued || (left.path < right.path ? -1 : 1),
  );
  const lines: readonly (readonly Span[])[] = [
    totals(rows),
    [],
    ...table(THREAD_COLUMNS, threadsOf(threads).map(threadCells), columns),
    [],
    ...table(ACTOR_COLUMNS, busiestFirst.map(actorCells), columns),
  ];
  return lines.map((line) => paint(line, columns, isColored));
}

function totals(rows: readonly ActorRow[]): readonly Span[] {
  const sum = (pick: (row: ActorRow) => number): string =>
    formatCount(Math.round(rows.reduce((total, row) => total + pick(row), 0)));
  const running = rows.filter((row) => row.status === 'running').length;
  return [
    span(` ACTORS  ${running} of ${rows.length} running`, 'bold'),
    span(
      `  ${sum((row) => row.ratePerSecond)} msg/s · ${sum((row) => row.queued)} queued · ${sum((row) => row.restarts)} restarts`,
      'dim',
    ),
  ];
}

function actorCells(row: ActorRow): readonly Span[] {
  return [
    span(row.path),
    span(row.status, statusStyle(row.status)),
    span(row.thread, 'dim'),
    span(String(row.incarnation), row.restarts > 0 ? 'yellow' : 'plain'),
    span(formatCount(row.queued), row.queued > 100 ? 'yellow' : 'plain'),
    span(formatCount(Math.round(row.ratePerSecond))),
    span(formatCount(row.processed), 'dim'),
    span(formatMs(row.queueP99Ms)),
    span(formatMs(row.p99Ms)),
  ];
}

function threadsOf(answer: unknown): readonly Readonly<Record<string, unknown>>[] {
  return isRecord(answer) && Array.isArray(answer.threads) ? answer.threads.filter(isRecord) : [];
}

function threadCells(thread: Readonly<Record<string, unknown>>): readonly Span[] {
  const status = String(thread.status ?? '');
  const loop = isRecord(thread.loopDelay) ? formatMs(numberOf(thread.loopDelay.p99Ms)) : '';
  const lanes = Array.isArray(thread.lanes) ? thread.lanes.filter(isRecord) : [];
  const fill = Math.max(0, ...lanes.map((lane) => numberOf(lane.fill)));
  const lost = numberOf(thread.lostWakeUps);
  return [
    span(String(thread.name ?? '')),
    span(thread.stale === true ? `${status}, silent` : status, thread.stale === true ? 'yellow' : statusStyle(status)),
    span(String(numberOf(thread.incarnation))),
    span(loop),
    span(`${Math.round(numberOf(thread.heapUsedBytes) / 2 ** 20)} MiB`, 'dim'),
    span(`${Math.round(fill * 100)} %`, fill > 0.75 ? 'red' : 'plain'),
    span(formatCount(numberOf(thread.wakeUpsSent)), 'dim'),
    span(String(lost), lost > 0 ? 'red' : 'dim'),
  ];
}

function statusStyle(status: string): Style {
  if (status === 'running') return 'green';
  return status === 'paused' || status === 'waiting' || status === 'starting' ? 'yellow' : 'red';
}

/** Three digits that count, in the unit that fits. */
function formatMs(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1_000)} us`;
  return ms < 1_000 ? `${ms.toPrecision(3)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
