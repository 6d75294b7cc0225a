/** Finds actors in an answer of the control server and lays them out as text. Pure functions; main thread. */

export interface ActorRow {
  readonly path: string;
  readonly status: string;
  readonly thread: string;
  readonly incarnation: number;
  readonly restarts: number;
  readonly queued: number;
  readonly processed: number;
  /** Messages handled per second lately. */
  readonly ratePerSecond: number;
  readonly p99Ms: number;
  /** Time between the telling of a message and its handling. */
  readonly queueP99Ms: number;
}

/** Returns every actor of the answer in its order: whatever has a path, a status and a kind, at any depth. */
export function actorRows(answer: unknown): readonly ActorRow[] {
  if (Array.isArray(answer)) return answer.flatMap(actorRows);
  if (!isRecord(answer)) return [];
  const nested = Object.values(answer).flatMap(actorRows);
  const { path, status, kind } = answer;
  if (typeof path !== 'string' || typeof status !== 'string' || typeof kind !== 'string') return nested;
  const mailbox = isRecord(answer.mailbox) ? answer.mailbox : {};
  const handler = isRecord(answer.handler) ? answer.handler : {};
  const queueTime = isRecord(answer.queueTime) ? answer.queueTime : {};
  const row: ActorRow = {
    path,
    status,
    thread: typeof answer.thread === 'string' ? answer.thread : '',
    incarnation: numberOf(answer.incarnation),
    restarts: numberOf(answer.restarts),
    queued: numberOf(mailbox.depthTotal),
    processed: numberOf(mailbox.processed),
    ratePerSecond: numberOf(answer.ratePerSecond),
    p99Ms: numberOf(handler.p99Ms),
    queueP99Ms: numberOf(queueTime.p99Ms),
  };
  return [row, ...nested];
}

/** Returns a table with a heading; columns as wide as their widest cell. */
export function formatActorRows(rows: readonly ActorRow[]): string {
  const cells = [
    ['path', 'status', 'thread', 'life', 'restarts', 'queued', 'processed', 'p99 ms'],
    ...rows.map((row) => [
      row.path,
      row.status,
      row.thread,
      String(row.incarnation),
      String(row.restarts),
      String(row.queued),
      String(row.processed),
      row.p99Ms.toFixed(2),
    ]),
  ];
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0))) ?? [];
  return cells
    .map((line) =>
      line
        .map((cell, column) => (column < 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
