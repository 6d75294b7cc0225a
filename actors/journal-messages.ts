/** What the journal actor understands and tells. Types and delivery table only. */
import type { ActorRef, DeliveryTable, MessageShape } from '../src/runtime/actor.ts';
import type { Asked } from '../src/runtime/ask.ts';
import type { RowPage } from '../src/storage/row-page.ts';
import type { ForwardQuery, JournalRow, StoreQuery } from '../src/storage/rows.ts';
import type { StoreMessage } from '../src/ports/ports.ts';

export type JournalMessage =
  | AppendRows
  /**
   * Several appends, in their order, that one handler told: each is answered and refused as if it had come by itself, and one commit takes
   * all of them. Told one by one, the first may be on its way to the disk before the second is here.
   */
  | { readonly type: 'append-together'; readonly appends: readonly AppendRows[] }
  /** Reads rows; answered with one or more `rows-read`. */
  | { readonly type: 'read-rows'; readonly query: ForwardQuery; readonly replyTo: ActorRef; readonly readId: number }
  /** The same for whoever is no actor: answered once, with a `RowsPage`. */
  | ({ readonly type: 'ask-rows'; readonly query: StoreQuery } & Asked)
  | StoreMessage;

/**
 * Makes rows durable (all or none, one group commit), then tells each of `whenDurable` its message, in order. A row seen
 * before changes nothing; its messages are still told. One that contradicts the stored row of its id fails the append for good. Callers keep the append until told and repeat it after 2 s without answer.
 */
export interface AppendRows {
  readonly type: 'append-rows';
  readonly rows: readonly JournalRow[];
  readonly whenDurable: readonly { readonly to: ActorRef; readonly message: MessageShape }[];
  /** Told `append-failed` when the store refuses. */
  readonly sender: ActorRef;
  readonly appendId: number;
  /** The sender wants to know, before all else, that the commit was slow: told `append-slow`. */
  readonly tellSlow?: true;
}

/** One page of rows, in the order of the query. */
export interface RowsPage {
  readonly rows: readonly JournalRow[];
  /** False when more rows follow the last one. */
  readonly complete: boolean;
}

/** Told by the journal. Receivers add these to their unions. */
export interface AppendFailed {
  readonly type: 'append-failed';
  readonly appendId: number;
  /** `not-stored`: repeat it. `row-conflict`: a row contradicts the stored one of its id, a repeat cannot succeed. */
  readonly code: 'not-stored' | 'row-conflict';
  readonly detail: string;
}
/** The rows are durable, but the disk took longer than a decision may wait for. */
export interface AppendSlow {
  readonly type: 'append-slow';
  readonly appendId: number;
  readonly commitMs: number;
}
export interface RowsRead {
  readonly type: 'rows-read';
  readonly readId: number;
  /** The rows' text: `rowsOfPage` reads it. */
  readonly page: RowPage;
  /** False when more rows follow the last one: read again from its sequence. */
  readonly complete: boolean;
}

/** Delivery of what the journal tells others: one table, shared by all receivers. */
export const journalReplyDelivery: DeliveryTable<AppendFailed | RowsRead> = {
  'append-failed': { class: 'must-deliver', priority: 'order' },
  'rows-read': { class: 'must-deliver', priority: 'order' },
};

/** Told only to senders that ask for it. */
export const appendSlowDelivery: DeliveryTable<AppendSlow> = {
  'append-slow': { class: 'must-deliver', priority: 'order' },
};

export const journalDelivery: DeliveryTable<JournalMessage> = {
  'append-rows': { class: 'must-deliver', priority: 'order' },
  'append-together': { class: 'must-deliver', priority: 'order' },
  'read-rows': { class: 'must-deliver', priority: 'order' },
  'ask-rows': { class: 'must-deliver', priority: 'normal' },
  'rows-durable': { class: 'must-deliver', priority: 'order' },
  'store-failed': { class: 'must-deliver', priority: 'order' },
};
