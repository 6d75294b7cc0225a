/** What the invariant monitor remembers: its own fold of the journal, a second account of it, and what does not agree. Its thread only. */
import type { Self } from '../../src/runtime/actor.ts';
import type { FundingExpectation, ReceivedPayment } from '../../src/execution/funding-expectation.ts';
import type { BrokenIdentity } from '../../src/execution/identities.ts';
import { emptyLedger } from '../../src/execution/ledger.ts';
import type { Ledger } from '../../src/execution/ledger.ts';
import { emptyStatistics } from '../../src/execution/pair-statistics.ts';
import type { PairStatistics, StatisticsBook } from '../../src/execution/pair-statistics.ts';
import { emptyTally } from '../../src/execution/tally.ts';
import type { Tally } from '../../src/execution/tally.ts';
import type { JournalRow } from '../../src/storage/rows.ts';
import type { JournalMessage } from '../journal-messages.ts';
import type { MonitorMessage } from '../monitor-messages.ts';
import type { PairChanged } from '../position-messages.ts';

export type MonitorSelf = Self<MonitorMessage>;

/** Plain-data arguments of the monitor. */
export interface MonitorArgs {
  readonly journalPath: string;
  readonly guardPath: string;
  readonly observerPath: string;
  readonly bases: readonly string[];
  /** Calendar ms per monotonic ms. */
  readonly calendarScale: number;
  /** How long something must not hold before it counts as broken, monotonic ms; see `patience`. */
  readonly patience?: Partial<Patience>;
}

/**
 * Live books, venues and wallets hear of one fact at different moments. They are broken only when they did not agree at any moment
 * for so long, monotonic ms.
 */
export interface Patience {
  readonly liveMs: number;
  readonly venueMs: number;
  readonly walletMs: number;
  readonly statesMs: number;
}

export const PATIENCE: Patience = { liveMs: 15_000, venueMs: 60_000, walletMs: 20 * 60_000, statesMs: 30_000 };

/** One symbol: the fold of its rows, the second account of them, and the live picture. */
export interface SymbolBooks {
  readonly base: string;
  readonly ledger: Ledger;
  readonly tally: Tally;
  readonly statistics: StatisticsBook;
  expectations: readonly FundingExpectation[];
  payments: readonly ReceivedPayment[];
  /** Fills of instruments whose steps no row has told yet. */
  readonly waiting: JournalRow[];
  picture: PairChanged | undefined;
  /** Changed since it was last judged. */
  readonly touchedLegs: Set<string>;
  readonly touchedPairs: Set<string>;
}

/** A breach being watched. */
export interface Watched extends BrokenIdentity {
  /** Monotonic ms since when it has not held. */
  readonly sinceMs: number;
  /** Calendar ms at which it was told; undefined while it may still pass. */
  toldAtMs: number | undefined;
  isAcknowledged: boolean;
}

/** One account's wallet next to what the journal explains. */
export interface WalletWatch {
  readonly venue: string;
  readonly account: string;
  walletMicro: bigint;
  /** Wallet less what the journal explains, when counting began; undefined before. */
  startMicro: bigint | undefined;
  /** Facts booked when counting began: each may round by a micro-unit. */
  factsAtStart: number;
  /** The same difference as now has been seen since, monotonic ms. */
  offsetMicro: bigint | undefined;
  offsetSinceMs: number;
  /** Monotonic ms for which the start value was seen in all. */
  startHeldMs: number;
}

export interface StatisticsAppend {
  readonly message: Extract<JournalMessage, { type: 'append-rows' }>;
  sentAtMs: number;
}

export interface MonitorState {
  readonly args: MonitorArgs;
  readonly patience: Patience;
  readonly symbols: Map<string, SymbolBooks>;
  readonly wallets: Map<string, WalletWatch>;
  /** By scope, then by identity and subject. */
  readonly watched: Map<string, Map<string, Watched>>;
  sequence: number;
  /** Monotonic ms at which the next page was asked for; undefined while none is. */
  askedAtMs: number | undefined;
  isCaughtUp: boolean;
  comparisons: number;
  /** What the guard could not take yet. */
  killReason: string | undefined;
  toldAtMs: number;
  /** Newest statistics by pair, bounded. */
  readonly closedPairs: Map<string, PairStatistics>;
  readonly appends: Map<number, StatisticsAppend>;
  /** Statistics rows found in the journal or written, by id. */
  readonly statisticsIds: Set<string>;
  lastAppendId: number;
}

export function newMonitorState(args: MonitorArgs): MonitorState {
  return {
    args,
    patience: { ...PATIENCE, ...args.patience },
    symbols: new Map(args.bases.map((base) => [base, newBooks(base, args.calendarScale)])),
    wallets: new Map(),
    watched: new Map(),
    sequence: 0,
    askedAtMs: undefined,
    isCaughtUp: false,
    comparisons: 0,
    killReason: undefined,
    toldAtMs: Number.NEGATIVE_INFINITY,
    closedPairs: new Map(),
    appends: new Map(),
    statisticsIds: new Set(),
    lastAppendId: 0,
  };
}

function newBooks(base: string, calendarScale: number): SymbolBooks {
  return {
    base,
    ledger: emptyLedger(),
    tally: emptyTally(),
    statistics: emptyStatistics(calendarScale),
    expectations: [],
    payments: [],
    waiting: [],
    picture: undefined,
    touchedLegs: new Set(),
    touchedPairs: new Set(),
  };
}

/** Returns the books of a symbol; also of one that is no longer configured, whose rows still move its accounts' wallets. */
export function booksOf(state: MonitorState, base: string): SymbolBooks {
  let books = state.symbols.get(base);
  if (books === undefined) {
    books = newBooks(base, state.args.calendarScale);
    state.symbols.set(base, books);
  }
  return books;
}
