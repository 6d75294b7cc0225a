/** The observer: the latest public picture of everything, for the terminal and the control server. Decides nothing. Main thread. */
import { isActive } from '../src/execution/pair-state.ts';
import { unreachable } from '../src/runtime/actor.ts';
import type { ActorKind } from '../src/runtime/actor.ts';
import { guardRef, monitorRef } from './addresses.ts';
import { connectorEventDelivery } from './connector-messages.ts';
import { guardDelivery } from './guard-messages.ts';
import type { EngineStateChanged } from './guard-messages.ts';
import { monitorDelivery } from './monitor-messages.ts';
import type { IdentitiesChecked } from './monitor-messages.ts';
import type { ObserverMessage } from './observer-messages.ts';
import { positionDelivery } from './position-messages.ts';
import type { PairChanged } from './position-messages.ts';
import { strategyDelivery } from './strategy-messages.ts';
import type { OpportunitiesScanned } from './strategy-messages.ts';

type VenueStatus = Extract<ObserverMessage, { type: 'venue-status' }>;
type AccountChanged = Extract<ObserverMessage, { type: 'account-changed' }>;

/** One venue account. Balances are absent until the venue told them. */
export type VenueSummary = Omit<VenueStatus, 'type'> & {
  readonly walletMicro?: bigint;
  readonly availableMicro?: bigint;
  /** Last known too long ago to be shown as what is there: the venue is gone, or its account cannot be read. */
  readonly isBalanceOld?: true;
};

/** A balance is shown for so long after it was last known. Decisions go by limits of their own, far shorter. Monotonic ms. */
const BALANCE_SHOWN_MS = 90_000;

export type PairSummary = Omit<PairChanged, 'type'>;

/** Sums over all symbols, quote micro-units; signed, positive is good for us. */
export interface TradingTotals {
  readonly openPairs: number;
  /** Since the journal began. */
  readonly closedPairs: number;
  /** Closed pairs' result plus that of open ones: executable (view C) where books allow, else what is booked. */
  readonly netMicro: bigint;
  readonly closedNetMicro: bigint;
  /** Booked funding, open and closed pairs. */
  readonly fundingMicro: bigint;
  readonly openNotionalMicro: bigint;
  readonly liveOrders: number;
}

/** What the observer's digest is. Pairs by base and venues by name, in alphabetical order. */
export interface TradingSummary {
  readonly engine: Omit<EngineStateChanged, 'type'> | undefined;
  readonly venues: readonly VenueSummary[];
  readonly pairs: readonly PairSummary[];
  readonly opportunities: Omit<OpportunitiesScanned, 'type'> | undefined;
  readonly totals: TradingTotals;
  /** Whether the books add up; undefined before the monitor's first word. */
  readonly identities?: Omit<IdentitiesChecked, 'type'>;
}

export interface ObserverState {
  /** By `venue:account`. Bounded by the configured accounts, as `pairs` is by the configured symbols. */
  readonly venues: Map<string, VenueStatus>;
  readonly accounts: Map<string, AccountChanged>;
  /** Accounts of `accounts` whose balances are too old to be shown, as of the last word of any venue. */
  oldAccounts: ReadonlySet<string>;
  readonly pairs: Map<string, PairChanged>;
  engine: EngineStateChanged | undefined;
  opportunities: OpportunitiesScanned | undefined;
  identities: IdentitiesChecked | undefined;
}

export const observer: ActorKind<Readonly<Record<string, never>>, ObserverState, ObserverMessage> = {
  kind: 'observer',
  delivery: {
    'venue-status': connectorEventDelivery['venue-status'],
    'account-changed': connectorEventDelivery['account-changed'],
    'pair-changed': positionDelivery['pair-changed'],
    'engine-state-changed': guardDelivery['engine-state-changed'],
    'opportunities-scanned': strategyDelivery['opportunities-scanned'],
    'identities-checked': monitorDelivery['identities-checked'],
  },

  start: (_, self) => {
    // Everybody else tells their picture again by themselves; the engine state only changes with the engine.
    if (self.incarnation > 1) self.tell(guardRef, { type: 'resend-engine-state', to: self.path });
    return {
      venues: new Map(),
      accounts: new Map(),
      oldAccounts: new Set(),
      pairs: new Map(),
      engine: undefined,
      opportunities: undefined,
      identities: undefined,
    };
  },

  receive(state, message, self) {
    switch (message.type) {
      case 'venue-status':
        state.venues.set(`${message.venue}:${message.account}`, message);
        state.oldAccounts = oldAccounts(state, self.monotonicMs());
        return state;
      case 'account-changed':
        state.accounts.set(`${message.venue}:${message.account}`, message);
        state.oldAccounts = oldAccounts(state, self.monotonicMs());
        // Passed on from here, so that those who trade have one to tell less.
        self.tell(monitorRef, message);
        return state;
      case 'pair-changed':
        state.pairs.set(message.base, message);
        self.tell(monitorRef, message);
        return state;
      case 'engine-state-changed':
        state.engine = message;
        return state;
      case 'opportunities-scanned':
        state.opportunities = message;
        return state;
      case 'identities-checked':
        state.identities = message;
        return state;
      default:
        return unreachable(message);
    }
  },

  digest: summarize,
};

function summarize(state: ObserverState): TradingSummary {
  const pairs = sorted(state.pairs).map(withoutType);
  return {
    engine: state.engine === undefined ? undefined : withoutType(state.engine),
    venues: sorted(state.venues).map((venue) => withBalances(state, venue)),
    pairs,
    opportunities: state.opportunities === undefined ? undefined : withoutType(state.opportunities),
    totals: totalsOf(pairs),
    ...(state.identities === undefined ? {} : { identities: withoutType(state.identities) }),
  };
}

function oldAccounts({ accounts }: ObserverState, nowMs: number): ReadonlySet<string> {
  const old = [...accounts].filter(([, { receivedAtMonotonicMs }]) => nowMs - receivedAtMonotonicMs > BALANCE_SHOWN_MS);
  return new Set(old.map(([name]) => name));
}

function withBalances({ accounts, oldAccounts: old }: ObserverState, venue: VenueStatus): VenueSummary {
  const name = `${venue.venue}:${venue.account}`;
  const account = accounts.get(name);
  if (account === undefined) return withoutType(venue);
  const { walletMicro, availableMicro } = account;
  return { ...withoutType(venue), walletMicro, availableMicro, ...(old.has(name) ? { isBalanceOld: true } : {}) };
}

function totalsOf(pairs: readonly PairSummary[]): TradingTotals {
  const open = pairs.filter(isOpen);
  const closedNetMicro = sum(pairs, (pair) => pair.closedNetMicro);
  return {
    openPairs: open.length,
    closedPairs: pairs.reduce((total, pair) => total + pair.closedPairs, 0),
    netMicro: closedNetMicro + sum(open, resultMicro),
    closedNetMicro,
    fundingMicro: sum(pairs, (pair) => pair.closedFundingMicro) + sum(open, (pair) => pair.fundingMicro),
    openNotionalMicro: sum(open, (pair) => pair.notionalMicro),
    liveOrders: pairs.reduce((total, pair) => total + pair.liveOrders, 0),
  };
}

/** Whether the picture's own sums belong to a pair that is not among the closed ones yet. */
export function isOpen(pair: PairSummary): boolean {
  return pair.phase === 'RECOVERING' ? pair.openedAtMs > 0 && pair.closedAtMs === 0 : isActive(pair.phase);
}

/** What the pair would have brought if closed now; without books what is booked so far. */
export function resultMicro(pair: PairSummary): bigint {
  return pair.executableMicro ?? pair.realisedMicro + pair.feesMicro + pair.fundingMicro;
}

function sum(pairs: readonly PairSummary[], amount: (pair: PairSummary) => bigint): bigint {
  return pairs.reduce((total, pair) => total + amount(pair), 0n);
}

function sorted<Value>(byKey: ReadonlyMap<string, Value>): readonly Value[] {
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

function withoutType<Message extends { readonly type: string }>({
  type: _type,
  ...fields
}: Message): Omit<Message, 'type'> {
  return fields;
}
