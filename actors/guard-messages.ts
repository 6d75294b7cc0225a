/** What the guard (engine state, limits, kill switch) understands and tells. Types and delivery table only. */
import type { ActorDown, DeliveryTable } from '../src/runtime/actor.ts';
import type { KillLevel } from '../src/risk/engine-state.ts';
import type { AppendFailed, RowsRead } from './journal-messages.ts';
import type { PairChanged } from './position-messages.ts';

/** Domain 12.1. Automatic changes only go down; a person (or `resumeTrading` at start) goes up. */
export type EngineState = 'STOPPED' | 'ARMED' | 'TRADING' | 'REDUCE_ONLY' | 'HALTED';

export interface EngineStateChanged {
  readonly type: 'engine-state-changed';
  readonly state: EngineState;
  readonly reason: string;
  /** True asks positions to flatten (K3). A reason that starts with `DAILY_LOSS` or `DRAWDOWN` names the limit that was broken. */
  readonly flatten: boolean;
  /** Present once the process is on its way out (K4): nothing leaves any more but cancels. */
  readonly leaving?: true;
  /** Present while losses in a row hold back entries (domain 12.2); everything else goes on. */
  readonly entriesPaused?: true;
}

export type GuardMessage =
  | { readonly type: 'set-engine-state'; readonly state: EngineState; readonly reason: string }
  | { readonly type: 'kill'; readonly level: KillLevel; readonly reason: string }
  /** A connector is disconnected for good (K4). `openOrders`: left at the venue by its last word, undefined when it said nothing. */
  | { readonly type: 'connector-left'; readonly path: string; readonly openOrders?: number }
  /** The process is about to stop: TRADING becomes ARMED, whatever is lower stays; only a person lifts a kill. */
  | { readonly type: 'stand-down'; readonly reason: string }
  | { readonly type: 'resend-engine-state'; readonly to: string }
  | { readonly type: 'guard-row-durable'; readonly appendId: number }
  /** An order was not sent because the commit of its intent took so long, or anybody's commit took a second; monotonic ms. */
  | { readonly type: 'journal-slow'; readonly commitMs: number }
  /** Every question about an order was spent, and nobody knows what became of it. */
  | { readonly type: 'order-lost'; readonly venue: string; readonly clientOrderId: string }
  /** A venue's word on a position has contradicted our fills for too long, monotonic ms. */
  | {
      readonly type: 'position-mismatch';
      readonly venue: string;
      readonly account: string;
      readonly symbol: string;
      readonly reportedLots: number;
      readonly ledgerLots: number;
      readonly ageMs: number;
    }
  | { readonly type: 'guard-tick' }
  | { readonly type: 'repeat-limit-orders' }
  | PairChanged
  | RowsRead
  | AppendFailed
  | ActorDown;

export const guardDelivery: DeliveryTable<
  Exclude<GuardMessage, PairChanged | RowsRead | AppendFailed> | EngineStateChanged
> = {
  'set-engine-state': { class: 'must-deliver', priority: 'risk' },
  kill: { class: 'must-deliver', priority: 'risk' },
  'connector-left': { class: 'must-deliver', priority: 'risk' },
  'stand-down': { class: 'must-deliver', priority: 'risk' },
  'resend-engine-state': { class: 'must-deliver', priority: 'normal' },
  'guard-row-durable': { class: 'must-deliver', priority: 'order' },
  'journal-slow': { class: 'must-deliver', priority: 'normal' },
  'repeat-limit-orders': { class: 'must-deliver', priority: 'risk' },
  'position-mismatch': { class: 'must-deliver', priority: 'risk' },
  'actor-down': { class: 'must-deliver', priority: 'risk' },
  'order-lost': { class: 'must-deliver', priority: 'risk' },
  'guard-tick': { class: 'must-deliver', priority: 'normal' },
  // It may say flatten: not behind whatever else waits for a position.
  'engine-state-changed': { class: 'state', keyFields: ['type'], priority: 'risk' },
};
