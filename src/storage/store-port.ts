/** The door to the journal with group commit: collects appends, writes them in one transaction, then answers each. The journal actor's thread. */
import type { TraceRef } from '../runtime/actor.ts';
import { noMetrics, type Metrics } from '../runtime/metrics.ts';
import type { PortsContext } from '../runtime/ports-context.ts';
import type { AppendRef, RowsDurable, StoreFailed, StorePort } from '../ports/ports.ts';
import { encodeRow } from './hash-chain.ts';
import type { EncodedRow } from './hash-chain.ts';
import type { Journal } from './journal.ts';
import { RowConflict } from './journal-errors.ts';
import type { ReadPage } from './row-page.ts';
import type { ForwardQuery, JournalRow, JournalRowType, StoreQuery } from './rows.ts';

export interface StorePortOptions {
  /** Opens the journal, also again after a failure. Throws when it cannot be trusted or reached. */
  readonly open: () => Journal;
  readonly deliver: (message: RowsDurable | StoreFailed, cause: TraceRef) => void;
  /** See PortsContext; default traces nothing. */
  readonly calling?: PortsContext['calling'];
  /** Runs `action` after `delayMs` monotonic ms; returns its cancel function. */
  readonly schedule: (delayMs: number, action: () => void) => () => void;
  readonly monotonicMs: () => number;
  /** Default records nothing. */
  readonly metrics?: Metrics;
  readonly log: (level: 'warn' | 'error', event: string, fields: Readonly<Record<string, unknown>>) => void;
}

export interface OpenStorePort extends StorePort {
  /** Writes what is pending, answers nothing any more, closes the journal. */
  dispose(): void;
}

/**
 * Rows that nothing more can be lost by waiting for: what became of an order that has left, what was paid, what a pair came to. They wait
 * a little for company. A commit of their own, begun right behind that of a fill, kept the intent of its hedge waiting for one more
 * write of the disk; now the intent takes them along. All other rows are committed when the turn ends.
 */
const PATIENT_TYPES: ReadonlySet<JournalRowType> = new Set(['order-event', 'funding', 'pair-statistics']);
/** Longest wait for company, monotonic ms. */
export const COMPANY_MS = 2;
/** A group is written at once when it has this many rows. */
export const GROUP_ROWS_MAX = 256;
/** A commit slower than this is told in the log: decisions that waited for it may be too old. */
export const SLOW_APPEND_MS = 50;
/** A read slower than this is told in the log, by the kind of question: it held up every commit behind it. */
export const SLOW_QUERY_MS = 50;
/** The head file reaches the disk this long after the rows it speaks of (it guards against damage, not against crashes), and the journal is tidied up. */
const UPKEEP_DELAY_MS = 250;

interface PendingAppend {
  readonly ref: AppendRef;
  readonly rows: readonly EncodedRow[];
  readonly cause: TraceRef;
}

/**
 * Opens the journal and the door to it. Appends are answered in their order (refused ones, whose rows break a rule, may come early). After a failed write the connection is
 * discarded; the next use opens a new one, which checks the tail.
 */
export function openStorePort(options: StorePortOptions): OpenStorePort {
  return new GroupCommitStore(options);
}

class GroupCommitStore implements OpenStorePort {
  readonly #options: StorePortOptions;
  #journal: Journal | undefined;
  #pending: PendingAppend[] = [];
  #pendingRows = 0;
  #lastRef = 0;
  #cancelCommit: (() => void) | undefined;
  /** What the coming commit was scheduled with; undefined while none is. */
  #commitDelayMs: number | undefined;
  #cancelUpkeep: (() => void) | undefined;
  #isDisposed = false;

  constructor(options: StorePortOptions) {
    this.#options = options;
    this.#journal = options.open();
  }

  append(rows: readonly JournalRow[]): AppendRef {
    this.#lastRef += 1;
    const ref = this.#lastRef;
    const cause = this.#options.calling?.('store-append') ?? 0;
    let encoded: readonly EncodedRow[];
    try {
      encoded = rows.map(encodeRow);
    } catch (error) {
      // A row that breaks a rule is its writer's mistake: the others of the group are not punished for it.
      this.#options.schedule(0, () => this.#answer({ type: 'store-failed', ref, detail: describe(error) }, cause));
      return ref;
    }
    this.#pending.push({ ref, rows: encoded, cause });
    this.#pendingRows += encoded.length;
    const isPatient = this.#pendingRows < GROUP_ROWS_MAX && encoded.every(({ type }) => PATIENT_TYPES.has(type));
    if (!isPatient) this.#commitAfter(0);
    else if (this.#commitDelayMs === undefined) this.#commitAfter(COMPANY_MS);
    return ref;
  }

  read(query: StoreQuery): readonly JournalRow[] {
    const startedAtMs = this.#options.monotonicMs();
    const rows = this.#use().read(query);
    const durationMs = this.#options.monotonicMs() - startedAtMs;
    this.#took(query.type, durationMs);
    if (durationMs > SLOW_QUERY_MS) this.#options.log('warn', 'query-slow', { durationMs, query, rows: rows.length });
    return rows;
  }

  readPage(query: ForwardQuery): ReadPage {
    const startedAtMs = this.#options.monotonicMs();
    const page = this.#use().readPage(query);
    this.#took(query.type, this.#options.monotonicMs() - startedAtMs);
    return page;
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#cancelCommit?.();
    try {
      // Nobody hears of these rows any more, but whoever starts next finds them: the senders' repeats change nothing.
      this.#commitGroup(this.#takePending());
      this.#cancelUpkeep?.();
      this.#journal?.upkeep();
    } catch (error) {
      this.#options.log('error', 'store-failed-at-end', { detail: describe(error) });
    }
    this.#journal?.close();
    this.#journal = undefined;
  }

  #commitAfter(delayMs: number): void {
    if (this.#commitDelayMs !== undefined && this.#commitDelayMs <= delayMs) return;
    this.#cancelCommit?.();
    this.#commitDelayMs = delayMs;
    this.#cancelCommit = this.#options.schedule(delayMs, () => this.#commit());
  }

  #commit(): void {
    this.#cancelCommit = undefined;
    this.#commitDelayMs = undefined;
    this.#commitGroup(this.#takePending());
  }

  #commitGroup(group: readonly PendingAppend[]): void {
    let repeatedAt: ReadonlySet<number>;
    const startedAtMs = this.#options.monotonicMs();
    try {
      repeatedAt = this.#write(group);
    } catch (error) {
      if (error instanceof RowConflict) {
        this.#refuseConflict(group, error);
        return;
      }
      this.#discard();
      const detail = describe(error);
      this.#options.log('error', 'store-failed', { detail, appends: group.length });
      for (const { ref, cause } of group) this.#answer({ type: 'store-failed', ref, detail }, cause);
      return;
    }
    const durationMs = this.#options.monotonicMs() - startedAtMs;
    const slow = durationMs > SLOW_APPEND_MS ? { slowCommitMs: Math.round(durationMs) } : {};
    let offset = 0;
    for (const { ref, rows, cause } of group) {
      const from = offset;
      const repeatedRows = rows.filter((_, index) => repeatedAt.has(from + index)).length;
      offset += rows.length;
      const answer = { type: 'rows-durable', ref, ...(repeatedRows === 0 ? {} : { repeatedRows }), ...slow } as const;
      this.#answer(answer, cause);
    }
    this.#cancelUpkeep ??= this.#options.schedule(UPKEEP_DELAY_MS, () => this.#upkeep());
  }

  /** Nothing of the group is stored: each append is tried by itself, so that only what contradicts is refused. */
  #refuseConflict(group: readonly PendingAppend[], conflict: RowConflict): void {
    const [only] = group;
    if (group.length > 1 || only === undefined) {
      for (const append of group) this.#commitGroup([append]);
      return;
    }
    this.#options.log('error', 'row-conflict', { detail: conflict.message, id: conflict.id });
    const { ref, cause } = only;
    this.#answer({ type: 'store-failed', ref, detail: conflict.message, isConflict: true }, cause);
  }

  /** Returns the places of repeated rows in the group. */
  #write(group: readonly PendingAppend[]): ReadonlySet<number> {
    const rows = group.flatMap((append) => append.rows);
    if (rows.length === 0) return new Set();
    const journal = this.#use();
    const startedAtMs = this.#options.monotonicMs();
    const { repeatedAt } = journal.append(rows);
    const durationMs = this.#options.monotonicMs() - startedAtMs;
    this.#took('append', durationMs);
    if (durationMs > SLOW_APPEND_MS) this.#options.log('warn', 'append-slow', { durationMs, rows: rows.length });
    return repeatedAt;
  }

  #took(query: string, durationMs: number): void {
    (this.#options.metrics ?? noMetrics).distribution('database_query_duration', { query }).record(durationMs);
  }

  #upkeep(): void {
    this.#cancelUpkeep = undefined;
    try {
      this.#journal?.upkeep();
    } catch (error) {
      this.#discard();
      this.#options.log('error', 'upkeep-failed', { detail: describe(error) });
    }
  }

  #takePending(): readonly PendingAppend[] {
    const pending = this.#pending;
    this.#pending = [];
    this.#pendingRows = 0;
    return pending;
  }

  #use(): Journal {
    this.#journal ??= this.#options.open();
    return this.#journal;
  }

  /** After a failed write or sync nothing is known about what the kernel still holds: never go on with this connection. */
  #discard(): void {
    try {
      this.#journal?.close();
    } catch (error) {
      this.#options.log('error', 'journal-close-failed', { detail: describe(error) });
    }
    this.#journal = undefined;
  }

  #answer(message: RowsDurable | StoreFailed, cause: TraceRef): void {
    if (!this.#isDisposed) this.#options.deliver(message, cause);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
