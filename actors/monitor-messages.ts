/** What the invariant monitor understands and tells. Types and delivery table only. */
import type { DeliveryTable } from '../src/runtime/actor.ts';
import type { IdentityName } from '../src/execution/identities.ts';
import type { PairStatistics } from '../src/execution/pair-statistics.ts';
import type { MarketEvent } from './connector-messages.ts';
import type { AppendFailed, RowsRead } from './journal-messages.ts';
import type { PairChanged } from './position-messages.ts';

/** An identity that does not hold, with the two numbers that should be one. */
export interface BrokenReport {
  readonly identity: IdentityName;
  readonly subject: string;
  readonly expected: string;
  readonly got: string;
  /** Calendar ms at which it was told. */
  readonly atMs: number;
  /** A person has let the engine trade again since the journal shows it. */
  readonly isAcknowledged: boolean;
}

/** What the wallet of one account did beyond what the journal explains, micro-units; undefined until there is a start to count from. */
export interface WalletReport {
  readonly venue: string;
  readonly account: string;
  readonly unexplainedMicro?: bigint;
}

/** How the books stand; the latest one is the truth. */
export interface IdentitiesChecked {
  readonly type: 'identities-checked';
  /** Rows of the journal folded so far, and whether that is all of them. */
  readonly rows: number;
  readonly isCaughtUp: boolean;
  /** Comparisons made since the monitor started. */
  readonly comparisons: number;
  readonly broken: readonly BrokenReport[];
  readonly wallets: readonly WalletReport[];
  /** Newest closed pairs, newest last, bounded. */
  readonly closedPairs: readonly PairStatistics[];
}

export type MonitorMessage =
  | { readonly type: 'monitor-tick' }
  | { readonly type: 'statistics-durable'; readonly appendId: number }
  | Extract<MarketEvent, { type: 'account-changed' }>
  | PairChanged
  | RowsRead
  | AppendFailed;

export const monitorDelivery: DeliveryTable<
  Extract<MonitorMessage, { type: 'monitor-tick' | 'statistics-durable' }> | IdentitiesChecked
> = {
  'monitor-tick': { class: 'must-deliver', priority: 'normal' },
  'statistics-durable': { class: 'must-deliver', priority: 'normal' },
  'identities-checked': { class: 'state', keyFields: ['type'] },
};
