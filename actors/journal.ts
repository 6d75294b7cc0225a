/**
 * The journal actor: everything that must survive goes through it, and nobody is told before it is on disk. Store thread.
 *
 * It tells the guard when it begins to fail, once; what changes that (a test holds this table and the code against each other):
 *
 * | from | event | to |
 * | ---- | ----- | -- |
 * | keeping | not stored, no room for an append | failing |
 * | failing | stored | keeping |
 */
import { unreachable } from '../src/runtime/actor.ts';
import type { ActorKind, ActorRef, Self } from '../src/runtime/actor.ts';
import { replyTo } from '../src/runtime/ask.ts';
import type { AppendRef, JournalPorts, RowsDurable, StoreFailed } from '../src/ports/ports.ts';
import type { GuardMessage } from './guard-messages.ts';
import { journalDelivery } from './journal-messages.ts';
import type { AppendFailed, AppendSlow, JournalMessage, RowsPage, RowsRead } from './journal-messages.ts';
import type { StoreQuery } from '../src/storage/rows.ts';

export interface JournalArgs {
  /** Appends waiting for the disk at once; more are answered `append-failed`. Default 4,096. */
  readonly pendingAppendsMax?: number;
  /** Told `kill` when somebody writes two facts under one id: the books no longer agree about what happened. */
  readonly guard?: ActorRef<GuardMessage>;
}

type Append = Extract<JournalMessage, { type: 'append-rows' }>;
type Read = Extract<JournalMessage, { type: 'read-rows' }>;
type JournalSelf = Self<JournalMessage, JournalPorts>;

export interface JournalState {
  readonly pendingAppendsMax: number;
  readonly guard: ActorRef<GuardMessage> | undefined;
  readonly pending: Map<AppendRef, Append>;
  rowsDurable: number;
  appendsFailed: number;
  conflicts: number;
  lastFailure: string | undefined;
  /** The last answer of the disk was a failure, and the guard knows. */
  isFailing: boolean;
}

/** Rows of one answer; the reader asks again from the last one's sequence. So many take a reader a few ms of its thread. */
export const PAGE_ROWS_MAX = 300;
/** Rows of the answer to a question, which is asked once. */
const ASKED_ROWS_MAX = 500;
const PENDING_APPENDS_MAX = 4_096;
const STALLED_COMMIT_MS = 1_000;

export const journal: ActorKind<JournalArgs, JournalState, JournalMessage, JournalPorts> = {
  kind: 'journal',
  delivery: journalDelivery,

  start: (args) => ({
    pendingAppendsMax: args.pendingAppendsMax ?? PENDING_APPENDS_MAX,
    guard: args.guard,
    pending: new Map(),
    rowsDurable: 0,
    appendsFailed: 0,
    conflicts: 0,
    lastFailure: undefined,
    isFailing: false,
  }),

  receive(state, message, self) {
    switch (message.type) {
      case 'append-rows':
        append(state, message, self);
        return state;
      case 'append-together':
        for (const one of message.appends) append(state, one, self);
        return state;
      case 'rows-durable':
        tellDurable(state, message, self);
        return state;
      case 'store-failed':
        tellFailed(state, message, self);
        return state;
      case 'read-rows':
        answerRead(message, self);
        return state;
      case 'ask-rows':
        replyTo(self, message, readPage(message.query, self));
        return state;
      default:
        return unreachable(message);
    }
  },

  digest: (state) => ({
    pendingAppends: state.pending.size,
    rowsDurable: state.rowsDurable,
    appendsFailed: state.appendsFailed,
    conflicts: state.conflicts,
    lastFailure: state.lastFailure,
  }),
};

function append(state: JournalState, message: Append, self: JournalSelf): void {
  if (state.pending.size >= state.pendingAppendsMax) {
    const detail = `the journal must have at most ${state.pendingAppendsMax} appends waiting for the disk`;
    tellGuardOfFailure(state, detail, self);
    refuse(state, message, detail, 'not-stored', self);
    return;
  }
  state.pending.set(self.ports.store.append(message.rows), message);
}

function tellDurable(state: JournalState, message: RowsDurable, self: JournalSelf): void {
  const append = state.pending.get(message.ref);
  if (append === undefined) throw new Error(`an answer of the store must belong to an append, was for ${message.ref}`);
  state.pending.delete(message.ref);
  state.isFailing = false;
  const repeated = message.repeatedRows ?? 0;
  state.rowsDurable += append.rows.length - repeated;
  if (repeated > 0) self.count('rows-repeated', repeated);
  if (message.slowCommitMs !== undefined) {
    self.count('commits-slow');
    // Who asks is told, and tells the guard when an order was not sent because of it. What others write delays no order: only a disk
    // that is this slow is the guard's business then.
    if (append.tellSlow === true) {
      const slow: AppendSlow = { type: 'append-slow', appendId: append.appendId, commitMs: message.slowCommitMs };
      self.tell(append.sender, slow);
    } else if (state.guard !== undefined && message.slowCommitMs >= STALLED_COMMIT_MS) {
      self.tell(state.guard, { type: 'journal-slow', commitMs: message.slowCommitMs });
    }
  }
  for (const told of append.whenDurable) {
    const outcome = self.tell(told.to, told.message);
    if (outcome === 'refused') {
      // What comes later, usually the sender's own receipt, must not overtake it: without the receipt the sender repeats
      // the append, its rows change nothing and all of these are told again.
      self.count('told-refused');
      return;
    }
    if (outcome === 'dead') self.count('told-dead');
  }
}

function tellFailed(state: JournalState, message: StoreFailed, self: JournalSelf): void {
  const append = state.pending.get(message.ref);
  if (append === undefined) throw new Error(`an answer of the store must belong to an append, was for ${message.ref}`);
  state.pending.delete(message.ref);
  if (message.isConflict === true) {
    state.conflicts += 1;
    self.count('row-conflicts');
    if (state.guard !== undefined)
      self.tell(state.guard, { type: 'kill', level: 2, reason: `JOURNAL_CONFLICT: ${message.detail}` });
  }
  if (message.isConflict !== true) tellGuardOfFailure(state, message.detail, self);
  refuse(state, append, message.detail, message.isConflict === true ? 'row-conflict' : 'not-stored', self);
}

/** Whoever wrote it: without durable intents nothing may be opened (K2). Told once until the disk takes something again. */
function tellGuardOfFailure(state: JournalState, detail: string, self: JournalSelf): void {
  if (state.isFailing || state.guard === undefined) return;
  state.isFailing = true;
  self.tell(state.guard, { type: 'kill', level: 2, reason: `JOURNAL_FAILED: ${detail}` });
}

function refuse(
  state: JournalState,
  append: Append,
  detail: string,
  code: AppendFailed['code'],
  self: JournalSelf,
): void {
  state.appendsFailed += 1;
  state.lastFailure = detail;
  self.count('appends-failed');
  self.log('error', 'append-failed', { code, detail, sender: append.sender.path, rows: append.rows.length });
  const failed: AppendFailed = { type: 'append-failed', appendId: append.appendId, code, detail };
  self.tell(append.sender, failed);
}

function answerRead(message: Read, self: JournalSelf): void {
  const { query, readId } = message;
  const { page, complete } = self.ports.store.readPage({ ...query, limit: Math.min(query.limit, PAGE_ROWS_MAX) });
  const answer: RowsRead = { type: 'rows-read', readId, page, complete };
  // A reader that cannot take it now asks again: it holds its question until it is answered.
  if (self.tell(message.replyTo, answer) === 'refused') self.count('told-refused');
}

function readPage(query: StoreQuery, self: JournalSelf): RowsPage {
  const pageRows = Math.min(query.limit, ASKED_ROWS_MAX);
  const rows = self.ports.store.read({ ...query, limit: pageRows + 1 });
  return { rows: rows.slice(0, pageRows), complete: rows.length <= pageRows };
}
