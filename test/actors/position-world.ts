/** A small world around one position actor: a journal and two venues behind connectors, with faults on command and crashes. */
import { position } from '../../actors/position.ts';
import type { PositionArgs } from '../../actors/position.ts';
import type { ConnectorCommand, ConnectorEvent } from '../../actors/connector-messages.ts';
import type { EngineState, GuardMessage } from '../../actors/guard-messages.ts';
import type { JournalMessage } from '../../actors/journal-messages.ts';
import type { EntryPlan, PairChanged, PositionMessage } from '../../actors/position-messages.ts';
import type { PositionState } from '../../actors/position/state.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import type { MicroUnits, PicoRate, PriceTicks, QuantityLots } from '../../src/money/units.ts';
import { feeMicro } from '../../src/money/amounts.ts';
import type { MessageShape } from '../../src/runtime/actor.ts';
import type { RefusalClass } from '../../src/venues/venue.ts';
import { pageOfRows } from '../../src/storage/row-page.ts';
import type { JournalRow } from '../../src/storage/rows.ts';
import { entryPolicy } from '../strategy/candidates.ts';
import { stage } from './stage.ts';
import type { Stage } from './stage.ts';

export const BASE = 'BTC';
const STEP_MS = 5;
export const VALIDITY_MS = 3_000;
/** One lot of either venue. */
const LOT_CONTRACTS = 0.001;

/** What happens to one order at a venue. Lots default to all of it. */
export type Fate =
  | { readonly type: 'fill'; readonly lots?: number; readonly afterMs?: number }
  | { readonly type: 'refuse'; readonly code?: string; readonly class?: RefusalClass }
  /** Executed (or not), but no answer comes before somebody asks. */
  | { readonly type: 'silent'; readonly executedLots?: number }
  /** Cancelled by the venue without stating cum; the fill shows up later. */
  | { readonly type: 'late-fill'; readonly lots: number; readonly afterMs: number }
  /** Executed in full and beyond, in one fill. */
  | { readonly type: 'overfill'; readonly extraLots: number }
  /** Rests on the book; what comes to it, at which age. Post-only orders with another fate rest as far as it leaves something. */
  | { readonly type: 'rest'; readonly fills: readonly { readonly lots: number; readonly afterMs: number }[] };

/** An order on the book of a venue. */
interface Resting {
  readonly command: Extract<ConnectorCommand, { type: 'place-order' }>;
  filledLots: number;
  /** Executed after its cancel, which does not state how much was filled. */
  readonly late: { readonly lots: number; readonly afterMs: number } | undefined;
}

export interface VenueModel {
  readonly name: string;
  instrument: Instrument;
  positionLots: number;
  readonly placed: Extract<ConnectorCommand, { type: 'place-order' }>[];
  readonly fills: {
    readonly clientOrderId: string;
    readonly side: 'buy' | 'sell';
    readonly lots: number;
    readonly fillId: string;
    readonly priceTicks: number;
    readonly atMs: number;
    readonly forced?: 'liquidation' | 'adl';
  }[];
  readonly ended: Map<
    string,
    { readonly status: 'filled' | 'cancelled' | 'expired'; readonly filledLots: number | undefined }
  >;
  readonly resting: Map<string, Resting>;
  readonly cancels: { readonly clientOrderId: string; readonly atMs: number }[];
  /** So many cancels are lost on their way. */
  cancelsLost: number;
  cancelMs: number;
  fateOf: (command: Extract<ConnectorCommand, { type: 'place-order' }>) => Fate;
  /** Queries fail while true. */
  queriesFail: boolean;
  /** Position reports are withheld while true. */
  mute: boolean;
  /** No question about a single order is ever answered while true; comparisons are. */
  unprovable: boolean;
  /** Nothing comes from this venue but its connector's word that it is down. Orders sent before may execute all the same. */
  dark: boolean;
  /** Every fill is told this many times. */
  tellFills: number;
  /** Comparisons asked for. */
  compared: number;
  leverage: number;
  /** What its position reports say of liquidation, quote per contract. */
  liquidationPrice: number | undefined;
  /** Place in its queue for deleveraging, 0 to 1. */
  adlRank: number | undefined;
  walletMicro: bigint;
  /** Predicted, pico per hour, until a test tells its own predictions. */
  hourlyPico: number;
  markNano: bigint;
  bidTicks: number;
  askTicks: number;
  depthLots: number;
}

export interface WorldOptions {
  /** Changes to the instruments. */
  readonly instruments?: { readonly va?: Partial<Instrument>; readonly vb?: Partial<Instrument> };
  readonly fateOf?: (venue: string, command: Extract<ConnectorCommand, { type: 'place-order' }>) => Fate;
  readonly args?: Partial<PositionArgs>;
}

export interface World {
  readonly venues: { readonly a: VenueModel; readonly b: VenueModel };
  readonly rows: JournalRow[];
  readonly pictures: PairChanged[];
  /** Everything logged in any life. */
  readonly logged: readonly {
    readonly level: string;
    readonly event: string;
    readonly atMs: number;
    readonly fields: unknown;
  }[];
  stage(): Stage<PositionState, PositionMessage, unknown>;
  run(ms: number): void;
  runUntil(done: () => boolean, limitMs: number): void;
  /**
   * Runs until nothing can come any more, at most `limitMs`: the pair open and balanced, or ended and flat, by the venues'
   * own count, nothing of theirs on its way, and no row written for `quietMs`.
   */
  runUntilOver(limitMs: number, quietMs: number): void;
  deliver(message: PositionMessage): void;
  engine(state: EngineState, flatten?: boolean): void;
  /** Ends this life at once and starts the next one after `deadMs`. */
  crash(deadMs: number): void;
  /** Crashes as soon as this many rows are durable. */
  crashAtRow(count: number, deadMs: number): void;
  picture(): PairChanged;
  plan(overrides?: Partial<EntryPlan>): EntryPlan;
  /** What the guard was told of slow commits, ms. */
  readonly slowTold: readonly number[];
  /** Contradictions the guard was told of. */
  readonly mismatchesTold: readonly Extract<GuardMessage, { type: 'position-mismatch' }>[];
  /** By the venues' own count: nothing stands alone but what an open pair's drift may be (domain 11.2). */
  isHedged(): boolean;
  /** Longest time the two positions were not hedged, by the venues' own count, ms: while both gave account, and at all. */
  readonly unhedged: { answeredMs: number; longestMs: number };
  /** The calendar alone moves: what a person, or a time server, does to a host's clock. */
  jumpCalendar(ms: number): void;
  /** How long commits take, as the journal would tell it. */
  commitMs: number;
  /** What the journal does with appends: default `keep`. */
  journalMode: 'keep' | 'fail' | 'conflict' | 'mute';
  /** The mark gets to the stops of a venue, which find this share of takers. */
  reachStops(venue: VenueModel, share?: number): void;
  external(venue: VenueModel, signedLots: number, forced?: 'liquidation' | 'adl'): void;
  /** Somebody else's trade whose position is told now and whose fill the venue shows, by any road, only after `lateMs`. */
  externalUnseen(venue: VenueModel, signedLots: number, lateMs: number): void;
  /** A payment, in the journal and told. */
  payFunding(event: Extract<ConnectorEvent, { type: 'funding-paid' }>): void;
  now(): number;
}

export const instrumentA: Instrument = instrumentOf('va', 'BTC', { quantityDecimals: 3, lotUnits: 1, takerFee: 0 });
export const instrumentB: Instrument = instrumentOf('vb', 'BTC-USD', {
  quantityDecimals: 4,
  lotUnits: 10,
  takerFee: 250_000_000,
});

function instrumentOf(
  venue: string,
  symbol: string,
  own: { quantityDecimals: number; lotUnits: number; takerFee: number },
): Instrument {
  return {
    venue,
    symbol,
    base: BASE,
    quote: 'USDC',
    multiplier: 1,
    priceDecimals: 1,
    tickUnits: 1,
    quantityDecimals: own.quantityDecimals,
    lotUnits: own.lotUnits,
    minQuantityLots: 1 as QuantityLots,
    minNotionalMicro: 10_000_000n as MicroUnits,
    maxNotionalMicro: 10_000_000_000_000n as MicroUnits,
    maxLeverage: 20,
    maintenanceMarginRate: 12_000_000_000 as PicoRate,
    makerFee: 0 as PicoRate,
    takerFee: own.takerFee as PicoRate,
    fundingIntervalMs: 3_600_000,
    fundingPrice: 'mark',
    status: 'active',
  };
}

export const defaultArgs: PositionArgs = {
  base: BASE,
  symbolIndex: 3,
  boot: 7,
  calendarScale: 1,
  positionTickMs: 100,
  venues: [
    { venue: 'va', account: 'main', connectorPath: 'connector/va:main', requestValidityMs: VALIDITY_MS },
    { venue: 'vb', account: 'main', connectorPath: 'connector/vb:main', requestValidityMs: VALIDITY_MS },
  ],
  journalPath: 'journal',
  strategyPath: 'strategy',
  guardPath: 'guard',
  observerPath: 'observer',
  execution: {
    hedge: { maxUnhedgedMs: 1_500, maxAttempts: 4, baseBps: 5, maxBps: 30, attemptMs: 400 },
    maker: { timeoutMs: 15_000, maxAdverseBps: 5, requoteMs: 1_000, maxQuotes: 10 },
    open: { confirmMs: 5_000, confirmMaxMs: 15_000 },
    close: { maxUnhedgedMs: 1_500, maxMs: 60_000 },
    delta: { maxRatio: 0.03, maxNotional: 150, dustNotional: 5, cooldownMs: 30_000, claimExternal: false },
    order: { ackMs: 2_000, resolveMs: 10_000, resolveQueries: 8 },
    cooldown: { base: 60_000, factor: 4, max: 3_600_000 },
    exposure: { oneVenueMsMax: 15_000 },
    reconcile: { recentMs: 3_000, intervalMs: 15_000, busyIntervalMs: 5_000, urgentIntervalMs: 1_000 },
    recovery: { completeMs: 10_000, maxMs: 60_000 },
    quarantine: { autoFlatten: true },
  },
  exits: {
    exit: {
      minHoldHours: 0,
      horizonHours: 8,
      hysteresis: 0.1,
      confirm: 2,
      takeProfitQuote: 1_000,
      stopLossPct: 50,
      maxHoldHours: 240,
      maxDarkMs: 120_000,
      darkVenue: 'hold',
      maxMarkDivergenceBps: 150,
      takeProfitFees: 0,
      maxAdlRank: 0.9,
      maxMove: 0.15,
      moveWindowMs: 300_000,
    },
    settle: { guardMs: 15_000, minDeferQuote: 0.05, deferMs: 600_000 },
    liquidation: { minEntryDistance: 0.25, warn: 0.2, reduce: 0.15, critical: 0.1, stopDistance: 0.05 },
    forecast: { halfLifeHours: 8, lookbackHours: 72, haircut: 0.25 },
    stablecoin: { warnGap: 0.003, maxGap: 0.01 },
  },
  cap: { bufferBps: 3, maxDeviationBps: 50 },
  stale: { bookMs: 2_000, markMs: 5_000, fundingMs: 120_000, accountMs: 15_000 },
  clock: { maxOffsetMs: 2_000 },
  gate: {
    maxOrderNotionalMicro: 5_000_000_000n,
    maxPositionNotionalMicro: 10_000_000_000n,
    maxOpenOrders: 20,
    maxOrdersPerSec: 10,
    priceCollarBps: 100,
    dailyLossMicro: 100_000_000n,
  },
  entry: entryPolicy,
  slowCommitMs: 50,
  leverage: { wanted: 3, max: 3 },
};

interface Due {
  readonly atMs: number;
  readonly order: number;
  /** 0: whoever lives; otherwise only that life. */
  readonly incarnation: number;
  readonly message?: PositionMessage;
  readonly run?: () => void;
}

function isLater(one: Due | undefined, other: Due): boolean {
  return one !== undefined && (one.atMs > other.atMs || (one.atMs === other.atMs && one.order > other.order));
}

export function createWorld(options: WorldOptions = {}): World {
  const args: PositionArgs = { ...defaultArgs, ...options.args };
  const rows: JournalRow[] = [];
  const rowIds = new Set<string>();
  const pictures: PairChanged[] = [];
  const slowTold: number[] = [];
  const mismatchesTold: Extract<GuardMessage, { type: 'position-mismatch' }>[] = [];
  const logged: World['logged'][number][] = [];
  const due: Due[] = [];
  let dueCount = 0;
  let incarnation = 0;
  let live: Stage<PositionState, PositionMessage, unknown> | undefined;
  let monotonicMs = 1_000;
  let epochMs = 1_767_225_600_000 - 1_000;
  let crashRow: { readonly count: number; readonly deadMs: number } | undefined;
  let aliveAtMs = 0;
  let sequence = 0;
  let predictedByTest = false;
  let fillCount = 0;
  let engineState: { readonly state: EngineState; readonly flatten: boolean } = { state: 'TRADING', flatten: false };

  const venueOf = (name: string, instrument: Instrument): VenueModel => ({
    name,
    instrument,
    positionLots: 0,
    placed: [],
    fills: [],
    resting: new Map(),
    cancels: [],
    cancelsLost: 0,
    cancelMs: 20,
    ended: new Map(),
    fateOf: (command) => options.fateOf?.(name, command) ?? { type: 'fill' },
    queriesFail: false,
    mute: false,
    dark: false,
    unprovable: false,
    tellFills: 1,
    compared: 0,
    leverage: 3,
    liquidationPrice: undefined,
    adlRank: undefined,
    walletMicro: 100_000_000_000n,
    hourlyPico: name === 'va' ? 200_000_000 : 0,
    markNano: 60_000_500_000_000n,
    bidTicks: 600_000,
    askTicks: 600_010,
    depthLots: 1_000,
  });
  const venues = {
    a: venueOf('va', { ...instrumentA, ...options.instruments?.va }),
    b: venueOf('vb', { ...instrumentB, ...options.instruments?.vb }),
  };

  const now = (): number => epochMs + monotonicMs;

  function later(afterMs: number, entry: { incarnation?: number; message?: PositionMessage; run?: () => void }): void {
    dueCount += 1;
    insert({
      atMs: monotonicMs + afterMs,
      order: dueCount,
      incarnation: entry.incarnation ?? 0,
      ...(entry.message === undefined ? {} : { message: entry.message }),
      ...(entry.run === undefined ? {} : { run: entry.run }),
    });
  }

  /** Keeps what is due in its order: most of it comes after what waits already. */
  function insert(entry: Due): void {
    let index = due.length;
    while (index > 0 && isLater(due[index - 1], entry)) index -= 1;
    due.splice(index, 0, entry);
  }

  /** A fact is told once its row is durable, to whoever lives then. */
  function tellFact(
    venue: VenueModel,
    type: 'order-event' | 'fill' | 'funding',
    id: string,
    event: Extract<ConnectorEvent, { type: 'order-changed' | 'fill-received' | 'funding-paid' }>,
    afterMs = 2,
  ): void {
    later(afterMs, {
      run: () => {
        const row: JournalRow = {
          id,
          type,
          atMs: now(),
          actor: `connector/${venue.name}:main`,
          correlation: BASE,
          payload: { event },
        };
        write([row]);
        later(1, { message: event });
      },
    });
  }

  function write(added: readonly JournalRow[]): void {
    for (const row of added) {
      if (rowIds.has(row.id)) continue;
      rowIds.add(row.id);
      rows.push({ ...row, sequence: rows.length + 1 });
      if (crashRow !== undefined && rows.length >= crashRow.count) {
        const { deadMs } = crashRow;
        crashRow = undefined;
        // The row is durable, nobody has been told.
        kill(deadMs);
      }
    }
  }

  function tellChange(
    venue: VenueModel,
    clientOrderId: string,
    status: Extract<ConnectorEvent, { type: 'order-changed' }>['status'],
    filledLots?: number,
    code = '',
    refusal: RefusalClass = 'permanent',
  ): void {
    sequence += 1;
    tellFact(venue, 'order-event', `order:${venue.name}:main:${clientOrderId}:${status}:${sequence}`, {
      type: 'order-changed',
      venue: venue.name,
      account: 'main',
      symbol: venue.instrument.symbol,
      clientOrderId,
      status,
      venueOrderId: `v${clientOrderId}`,
      ...(filledLots === undefined ? {} : { filledLots }),
      code,
      reason: code,
      ...(code === '' ? {} : { refusal }),
      atMs: now(),
      sequence,
    });
  }

  function execute(
    venue: VenueModel,
    clientOrderId: string,
    side: 'buy' | 'sell',
    lots: number,
    tell: boolean,
    forced?: 'liquidation' | 'adl',
    quotedTicks?: number,
  ): void {
    if (lots === 0) return;
    fillCount += 1;
    const priceTicks = quotedTicks ?? (side === 'buy' ? venue.askTicks : venue.bidTicks);
    const fill = {
      clientOrderId,
      side,
      lots,
      fillId: `${venue.name}-${fillCount}`,
      priceTicks,
      atMs: now(),
      ...(forced === undefined ? {} : { forced }),
    };
    venue.fills.push(fill);
    venue.positionLots += side === 'buy' ? lots : -lots;
    if (tell) {
      tellFill(venue, fill);
      reportPosition(venue);
    }
  }

  function tellFill(venue: VenueModel, fill: VenueModel['fills'][number]): void {
    const event: Extract<ConnectorEvent, { type: 'fill-received' }> = {
      type: 'fill-received',
      venue: venue.name,
      account: 'main',
      symbol: venue.instrument.symbol,
      fill: {
        fillId: fill.fillId,
        symbol: venue.instrument.symbol,
        clientOrderId: fill.clientOrderId,
        venueOrderId: `v${fill.clientOrderId}`,
        side: fill.side,
        priceTicks: fill.priceTicks as PriceTicks,
        lots: fill.lots as QuantityLots,
        feeMicro: feeMicro(venue.instrument, fill.priceTicks, fill.lots, venue.instrument.takerFee),
        liquidity: 'taker',
        venueAtMs: fill.atMs,
        ...(fill.forced === undefined ? {} : { forced: fill.forced }),
      },
    };
    for (let told = 0; told < venue.tellFills; told += 1)
      tellFact(venue, 'fill', `fill:${venue.name}:main:${fill.fillId}`, event, 2 + told * 7);
  }

  function reportPosition(venue: VenueModel): void {
    if (venue.mute || venue.dark) return;
    sequence += 1;
    const lots = venue.positionLots;
    later(6, {
      message: {
        type: 'position-reported',
        venue: venue.name,
        account: 'main',
        symbol: venue.instrument.symbol,
        signedLots: lots,
        ...(venue.liquidationPrice === undefined ? {} : { liquidationPrice: venue.liquidationPrice }),
        ...(venue.adlRank === undefined ? {} : { adlRank: venue.adlRank }),
        source: 'stream',
        sequence,
        receivedAtMonotonicMs: monotonicMs + 5,
      },
    });
  }

  /** Takes a post-only order onto the book. What comes to it comes at its own price. */
  function rest(venue: VenueModel, command: Resting['command'], fate: Exclude<Fate, { type: 'refuse' }>): void {
    const { order } = command;
    if (fate.type === 'silent' && fate.executedLots === undefined) return;
    const late = fate.type === 'late-fill' ? { lots: fate.lots, afterMs: fate.afterMs } : undefined;
    venue.resting.set(order.clientOrderId, { command, filledLots: 0, late });
    if (fate.type === 'silent') fillResting(venue, order.clientOrderId, fate.executedLots ?? 0, false);
    else tellChange(venue, order.clientOrderId, 'open', 0);
    const fills = fate.type === 'rest' ? fate.fills : [];
    if (fate.type === 'overfill') later(10, { run: () => overfillResting(venue, order.clientOrderId, fate.extraLots) });
    if (fate.type === 'fill')
      later(fate.afterMs ?? 10, { run: () => fillResting(venue, order.clientOrderId, fate.lots ?? order.lots) });
    for (const { lots, afterMs } of fills) later(afterMs, { run: () => fillResting(venue, order.clientOrderId, lots) });
    later(((order.restsUntilMs ?? order.validUntilMs) - now()) / args.calendarScale, {
      run: () => endResting(venue, order.clientOrderId, 'expired'),
    });
  }

  function fillResting(venue: VenueModel, clientOrderId: string, wanted: number, tell = true): void {
    const resting = venue.resting.get(clientOrderId);
    if (resting === undefined) return;
    const { order } = resting.command;
    const lots = Math.min(wanted, order.lots - resting.filledLots);
    resting.filledLots += lots;
    execute(venue, clientOrderId, order.side, lots, tell, undefined, order.limitTicks);
    if (resting.filledLots < order.lots) return;
    venue.resting.delete(clientOrderId);
    venue.ended.set(clientOrderId, { status: 'filled', filledLots: order.lots });
    if (tell) tellChange(venue, clientOrderId, 'filled', order.lots);
  }

  function overfillResting(venue: VenueModel, clientOrderId: string, extraLots: number): void {
    const resting = venue.resting.get(clientOrderId);
    if (resting === undefined) return;
    const { order } = resting.command;
    venue.resting.delete(clientOrderId);
    const lots = order.lots + extraLots;
    execute(venue, clientOrderId, order.side, lots, true, undefined, order.limitTicks);
    venue.ended.set(clientOrderId, { status: 'filled', filledLots: lots });
    tellChange(venue, clientOrderId, 'filled', lots);
  }

  function endResting(venue: VenueModel, clientOrderId: string, status: 'cancelled' | 'expired'): void {
    const resting = venue.resting.get(clientOrderId);
    if (resting === undefined) return;
    venue.resting.delete(clientOrderId);
    const { late, filledLots } = resting;
    const { order } = resting.command;
    venue.ended.set(clientOrderId, { status, filledLots: late === undefined ? filledLots : undefined });
    tellChange(venue, clientOrderId, status, late === undefined ? filledLots : undefined);
    if (late === undefined) return;
    later(late.afterMs, {
      run: () => {
        const lots = Math.min(late.lots, order.lots - filledLots);
        execute(venue, clientOrderId, order.side, lots, true, undefined, order.limitTicks);
      },
    });
  }

  function cancel(venue: VenueModel, clientOrderId: string): void {
    venue.cancels.push({ clientOrderId, atMs: monotonicMs });
    if (venue.dark) return;
    if (venue.cancelsLost > 0) {
      venue.cancelsLost -= 1;
      return;
    }
    later(venue.cancelMs, { run: () => endResting(venue, clientOrderId, 'cancelled') });
  }

  function place(venue: VenueModel, command: Extract<ConnectorCommand, { type: 'place-order' }>): void {
    venue.placed.push(command);
    const { order } = command;
    const fate = venue.fateOf(command);
    // A venue never lets a reduce-only order increase or flip a position.
    const room = order.reduceOnly
      ? Math.max(0, order.side === 'sell' ? venue.positionLots : -venue.positionLots)
      : order.lots;
    const possible = Math.min(order.lots, room);
    tellChange(venue, order.clientOrderId, 'sending');
    if (fate.type === 'refuse' || (order.reduceOnly && possible === 0)) {
      tellChange(
        venue,
        order.clientOrderId,
        'refused',
        undefined,
        fate.type === 'refuse' ? (fate.code ?? 'MARGIN') : 'REDUCE_ONLY',
        fate.type === 'refuse' ? (fate.class ?? 'permanent') : 'state',
      );
      return;
    }
    if (order.trigger !== undefined) {
      // It waits, whatever becomes of others, until the test lets the mark get there.
      venue.resting.set(order.clientOrderId, { command, filledLots: 0, late: undefined });
      if (fate.type !== 'silent') tellChange(venue, order.clientOrderId, 'open', 0);
      return;
    }
    if (order.postOnly || fate.type === 'rest') {
      rest(venue, command, fate);
      return;
    }
    if (fate.type === 'overfill') {
      const lots = possible + (order.reduceOnly ? 0 : fate.extraLots);
      execute(venue, order.clientOrderId, order.side, lots, true);
      venue.ended.set(order.clientOrderId, { status: 'filled', filledLots: lots });
      tellChange(venue, order.clientOrderId, 'filled', lots);
      return;
    }
    if (fate.type === 'silent') {
      const lots = Math.min(possible, fate.executedLots ?? 0);
      execute(venue, order.clientOrderId, order.side, lots, false);
      if (fate.executedLots !== undefined)
        venue.ended.set(order.clientOrderId, {
          status: lots === order.lots ? 'filled' : 'cancelled',
          filledLots: lots,
        });
      return;
    }
    if (fate.type === 'late-fill') {
      tellChange(venue, order.clientOrderId, 'cancelled');
      venue.ended.set(order.clientOrderId, { status: 'cancelled', filledLots: undefined });
      later(fate.afterMs, {
        run: () => {
          const left = order.reduceOnly
            ? Math.max(0, order.side === 'sell' ? venue.positionLots : -venue.positionLots)
            : possible;
          execute(venue, order.clientOrderId, order.side, Math.min(possible, left, fate.lots), true);
        },
      });
      return;
    }
    later(fate.afterMs ?? 10, {
      run: () => {
        const left = Math.max(0, order.side === 'sell' ? venue.positionLots : -venue.positionLots);
        const stillPossible = order.reduceOnly ? Math.min(possible, left) : possible;
        const lots = Math.min(stillPossible, fate.lots ?? order.lots);
        execute(venue, order.clientOrderId, order.side, lots, true);
        const status = lots === order.lots ? 'filled' : 'cancelled';
        venue.ended.set(order.clientOrderId, { status, filledLots: lots });
        tellChange(venue, order.clientOrderId, status, lots);
      },
    });
  }

  /** The connector's proof: found, or dead for certain. */
  function resolve(venue: VenueModel, clientOrderId: string, validUntilMs: number, done: () => void): void {
    if (venue.unprovable) return;
    if (venue.queriesFail || venue.dark) {
      later(1_000, { run: () => resolve(venue, clientOrderId, validUntilMs, done) });
      return;
    }
    for (const fill of venue.fills) if (fill.clientOrderId === clientOrderId) tellFill(venue, fill);
    const resting = venue.resting.get(clientOrderId);
    if (resting !== undefined) {
      tellChange(venue, clientOrderId, 'open', resting.filledLots);
      done();
      return;
    }
    const end = venue.ended.get(clientOrderId);
    if (end !== undefined) {
      const filled = venue.fills
        .filter((fill) => fill.clientOrderId === clientOrderId)
        .reduce((sum, fill) => sum + fill.lots, 0);
      tellChange(venue, clientOrderId, end.status, filled);
      reportPosition(venue);
      done();
      return;
    }
    // Whatever this venue will still execute it does within the validity: afterwards absence is proof.
    if (now() > validUntilMs + 1_000) {
      tellChange(venue, clientOrderId, 'not-found');
      done();
      return;
    }
    later(500, { run: () => resolve(venue, clientOrderId, validUntilMs, done) });
  }

  function connector(venue: VenueModel, command: ConnectorCommand): void {
    switch (command.type) {
      case 'limit-orders':
      case 'set-flag':
        return;
      case 'place-order':
        place(venue, command);
        return;
      case 'resolve-order':
        resolve(venue, command.clientOrderId, command.validUntilMs, () => undefined);
        return;
      case 'reconcile-symbol': {
        venue.compared += 1;
        const answer = (ok: boolean): void => {
          later(8, {
            incarnation: command.replyTo.incarnation,
            message: {
              type: 'reconciled',
              venue: venue.name,
              account: 'main',
              symbol: venue.instrument.symbol,
              reconcileId: command.reconcileId,
              ok,
              signedLots: venue.positionLots,
              openClientOrderIds: [...venue.resting.keys()],
            },
          });
        };
        if (venue.queriesFail || venue.dark) {
          answer(false);
          return;
        }
        for (const fill of venue.fills) if (fill.atMs >= command.sinceMs) tellFill(venue, fill);
        reportPosition(venue);
        let open = command.orders.length;
        if (open === 0) answer(true);
        for (const order of command.orders) {
          resolve(venue, order.clientOrderId, order.validUntilMs, () => {
            open -= 1;
            if (open === 0) answer(true);
          });
        }
        return;
      }
      case 'resend-state':
        tellMarket(venue);
        return;
      case 'cancel-order':
        cancel(venue, command.clientOrderId);
        return;
    }
  }

  function tellMarket(venue: VenueModel): void {
    const { instrument } = venue;
    if (venue.dark) {
      tellStatus(venue, 'down');
      return;
    }
    const common = { venue: venue.name, symbol: instrument.symbol, base: BASE };
    later(1, {
      message: { type: 'instrument-listed', venue: venue.name, account: 'main', symbol: instrument.symbol, instrument },
    });
    tellStatus(venue, 'ready');
    later(1, { message: { type: 'leverage-reported', ...common, account: 'main', leverage: venue.leverage } });
    later(1, {
      message: {
        type: 'account-changed',
        venue: venue.name,
        account: 'main',
        walletMicro: venue.walletMicro,
        availableMicro: venue.walletMicro,
        receivedAtMonotonicMs: monotonicMs,
      },
    });
    if (!predictedByTest) tellPrediction(venue);
    later(1, {
      message: {
        type: 'book-changed',
        ...common,
        book: {
          venue: venue.name,
          symbol: instrument.symbol,
          bids: [[venue.bidTicks, venue.depthLots]],
          asks: [[venue.askTicks, venue.depthLots]],
          venueAtMs: now(),
          receivedAtMonotonicMs: monotonicMs,
        },
      },
    });
    later(1, {
      message: {
        type: 'mark-changed',
        ...common,
        markNano: venue.markNano,
        indexNano: venue.markNano,
        venueAtMs: now(),
        receivedAtMonotonicMs: monotonicMs,
      },
    });
  }

  /** A carry that a pair long `vb` and short `va` earns, settled on the half hour: the world starts on the hour. */
  function tellPrediction({ name, instrument, hourlyPico }: VenueModel): void {
    const settleAtMs = epochMs + 1_000 + 1_800_000;
    const key = { venue: name, symbol: instrument.symbol };
    const rate = {
      ...key,
      kind: 'predicted' as const,
      raw: String(hourlyPico / 1e12),
      unit: { scale: 'fraction' as const, perMs: 3_600_000 },
      hourly: hourlyPico as PicoRate,
      intervalMs: 3_600_000,
      settleAtMs,
      venueAtMs: now(),
    };
    const received = { kind: 'predicted' as const, settleAtMs, rate, receivedAtMonotonicMs: monotonicMs };
    later(1, { message: { type: 'funding-rate-changed', ...key, base: BASE, ...received } });
  }

  function tellStatus(venue: VenueModel, status: 'ready' | 'down'): void {
    later(1, {
      message: {
        type: 'venue-status',
        venue: venue.name,
        account: 'main',
        status,
        reason: '',
        clockOffsetMs: 0,
        clockErrorMs: 5,
        entriesAllowed: status === 'ready',
        openBudgetShare: 1,
      },
    });
  }

  function journal(message: JournalMessage, from: number): void {
    if (message.type === 'append-together') {
      for (const one of message.appends) journal(one, from);
      return;
    }
    if (message.type === 'append-rows') {
      if (world.journalMode === 'mute') return;
      if (world.journalMode === 'fail' || world.journalMode === 'conflict') {
        const code = world.journalMode === 'fail' ? 'not-stored' : 'row-conflict';
        later(3, {
          incarnation: from,
          message: { type: 'append-failed', code, appendId: message.appendId, detail: `the journal says ${code}` },
        });
        return;
      }
      later(2, {
        run: () => {
          write(message.rows);
          if (message.tellSlow === true && world.commitMs > 50)
            later(1, {
              incarnation: from,
              message: { type: 'append-slow', appendId: message.appendId, commitMs: world.commitMs },
            });
          // The envelope's refs name the life that may be told.
          for (const { to, message: told } of message.whenDurable)
            later(1, { incarnation: to.incarnation, message: told as PositionMessage });
        },
      });
    } else if (message.type === 'read-rows' && message.query.type === 'by-correlation') {
      const { afterSequence, limit } = message.query;
      const found = rows.filter((row) => (row.sequence ?? 0) > afterSequence && row.correlation === BASE);
      const page = found.slice(0, limit);
      later(3, {
        incarnation: message.replyTo.incarnation,
        message: {
          type: 'rows-read',
          readId: message.readId,
          page: pageOfRows(page),
          complete: page.length === found.length,
        },
      });
    }
  }

  function route(to: string, message: MessageShape, from: number): void {
    // The stage records whatever was told; each address has one kind of listener.
    if (to === 'journal') journal(message as JournalMessage, from);
    else if (to === 'connector/va:main') connector(venues.a, message as ConnectorCommand);
    else if (to === 'connector/vb:main') connector(venues.b, message as ConnectorCommand);
    else if (to === 'guard' && message.type === 'resend-engine-state')
      later(1, { message: { type: 'engine-state-changed', ...engineState, reason: 'test' } });
    else if (to === 'guard' && message.type === 'position-mismatch')
      mismatchesTold.push(message as Extract<GuardMessage, { type: 'position-mismatch' }>);
    else if (to === 'guard' && message.type === 'journal-slow')
      slowTold.push((message as Extract<GuardMessage, { type: 'journal-slow' }>).commitMs);
    else if (to === 'observer' && message.type === 'pair-changed') pictures.push(message as PairChanged);
  }

  function flush(): void {
    for (const { level, event, fields } of live?.logged.splice(0) ?? [])
      logged.push({ level, event, atMs: monotonicMs, fields });
    while (live !== undefined && live.sent.length > 0) {
      const batch = live.sent.splice(0);
      for (const { to, message } of batch) route(to, message, incarnation);
    }
  }

  function start(): void {
    incarnation += 1;
    live = stage(position, args, { path: `position/${BASE}`, incarnation, nowMs: now(), monotonicMs });
    flush();
  }

  function kill(deadMs: number): void {
    // What this life told in the handler that made the row durable has left already; everything unsent dies with it.
    live = undefined;
    aliveAtMs = monotonicMs + deadMs;
  }

  function step(): void {
    monotonicMs += STEP_MS;
    if (live === undefined && monotonicMs >= aliveAtMs) start();
    live?.advance(STEP_MS);
    flush();
    for (;;) {
      const next = due[0];
      if (next === undefined || next.atMs > monotonicMs) break;
      due.shift();
      next.run?.();
      if (next.message === undefined) continue;
      if (live !== undefined && (next.incarnation === 0 || next.incarnation === incarnation))
        live.deliver(next.message);
      else if (next.incarnation === 0) insert({ ...next, atMs: aliveAtMs + STEP_MS });
      flush();
    }
    watchDelta();
    if (monotonicMs % 500 === 0) {
      tellMarket(venues.a);
      tellMarket(venues.b);
    }
  }

  let unhedgedSinceMs: number | undefined;
  let unansweredMs = 0;

  /** One step further: a venue that is silent, or an actor that is dead, excuses the time but does not end it. */
  function watchDelta(): void {
    if (isHedged()) {
      unhedgedSinceMs = undefined;
      return;
    }
    unhedgedSinceMs ??= monotonicMs;
    if (unhedgedSinceMs === monotonicMs) unansweredMs = 0;
    const answers = [venues.a, venues.b].every(({ dark, mute, queriesFail }) => !dark && !mute && !queriesFail);
    if (!answers || live === undefined || world.journalMode !== 'keep') unansweredMs += STEP_MS;
    const { unhedged } = world;
    unhedged.longestMs = Math.max(unhedged.longestMs, monotonicMs - unhedgedSinceMs);
    unhedged.answeredMs = Math.max(unhedged.answeredMs, monotonicMs - unhedgedSinceMs - unansweredMs);
  }

  function isHedged(): boolean {
    // An open pair may be off by less than what its drift is traded away for.
    const net = Math.abs(venues.a.positionLots + venues.b.positionLots);
    if (net === 0 || pictures.at(-1)?.phase !== 'OPEN') return net === 0;
    const { maxRatio, maxNotional } = args.execution.delta;
    const larger = Math.max(Math.abs(venues.a.positionLots), Math.abs(venues.b.positionLots));
    return net / larger < maxRatio && net * LOT_CONTRACTS * (Number(venues.a.markNano) / 1e9) < maxNotional;
  }

  function isOver(): boolean {
    if (live === undefined || !isHedged()) return false;
    // A venue's own plans are farther away than what is on its way.
    if ((due.at(-1)?.atMs ?? 0) > monotonicMs + 10) return false;
    const phase = pictures.at(-1)?.phase;
    if (phase === 'OPEN') return true;
    return venues.a.positionLots === 0 && (phase === 'CLOSED' || phase === 'FAILED' || phase === 'IDLE');
  }

  const world: World = {
    isHedged,
    unhedged: { answeredMs: 0, longestMs: 0 },
    jumpCalendar: (ms) => {
      epochMs += ms;
      live?.advanceCalendar(ms);
    },
    venues,
    rows,
    pictures,
    logged,
    slowTold,
    mismatchesTold,
    commitMs: 2,
    journalMode: 'keep',
    stage: () => {
      if (live === undefined) throw new Error('the position actor is dead at the moment');
      return live;
    },
    run: (ms) => {
      const untilMs = monotonicMs + ms;
      while (monotonicMs < untilMs) step();
    },
    runUntil: (done, limitMs) => {
      const untilMs = monotonicMs + limitMs;
      while (!done()) {
        if (monotonicMs >= untilMs)
          throw new Error(
            `nothing happened within ${limitMs} ms: ${JSON.stringify(pictures.at(-1), (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))}`,
          );
        step();
      }
    },
    runUntilOver: (limitMs, quietMs) => {
      const untilMs = monotonicMs + limitMs;
      let rowsSeen = rows.length;
      let quietSinceMs = monotonicMs;
      while (monotonicMs < untilMs) {
        step();
        if (rows.length !== rowsSeen || !isOver()) {
          rowsSeen = rows.length;
          quietSinceMs = monotonicMs;
        }
        if (monotonicMs - quietSinceMs >= quietMs) return;
      }
    },
    deliver: (message) => {
      predictedByTest ||= message.type === 'funding-rate-changed' && message.kind === 'predicted';
      live?.deliver(message);
      flush();
    },
    engine: (state, flatten = false) => {
      engineState = { state, flatten };
      later(1, { message: { type: 'engine-state-changed', ...engineState, reason: 'test' } });
    },
    crash: (deadMs) => kill(deadMs),
    crashAtRow: (count, deadMs) => {
      crashRow = { count, deadMs };
    },
    picture: () => {
      const last = pictures.at(-1);
      if (last === undefined) throw new Error('no picture was told yet');
      return last;
    },
    plan: (overrides) => ({
      base: BASE,
      long: { venue: 'vb', account: 'main', symbol: 'BTC-USD', lots: 33, limitTicks: 600_190, vwapTicks: 600_010 },
      short: { venue: 'va', account: 'main', symbol: 'BTC', lots: 33, limitTicks: 599_820, vwapTicks: 600_000 },
      entry: { mode: 'taker-taker' },
      decidedAtMs: now(),
      expected: {
        netHourlyQuote: 0.4,
        expectedValueQuote: 13.8,
        roundTripCostQuote: 1.2,
        entryBasisBps: -0.2,
        capitalQuote: 1_300,
      },
      ...overrides,
    }),
    payFunding: (event) => {
      const id = `funding:${event.venue}:${event.account}:${event.payment.paymentId}`;
      write([
        {
          id,
          type: 'funding',
          atMs: now(),
          actor: `connector/${event.venue}:main`,
          correlation: BASE,
          payload: { event },
        },
      ]);
      world.deliver(event);
    },
    reachStops: (venue, share = 1) => {
      for (const [clientOrderId, { command }] of venue.resting) {
        const { order } = command;
        if (order.trigger === undefined) continue;
        venue.resting.delete(clientOrderId);
        const room = Math.max(0, order.side === 'sell' ? venue.positionLots : -venue.positionLots);
        const lots = Math.min(room, Math.floor(order.lots * share));
        execute(venue, clientOrderId, order.side, lots, true, undefined, order.limitTicks);
        const status = lots === order.lots ? 'filled' : 'cancelled';
        venue.ended.set(clientOrderId, { status, filledLots: lots });
        tellChange(venue, clientOrderId, status, lots);
      }
    },
    external: (venue, signedLots, forced) => {
      execute(venue, '', signedLots > 0 ? 'buy' : 'sell', Math.abs(signedLots), true, forced);
    },
    externalUnseen: (venue, signedLots, lateMs) => {
      const shown = venue.fills.length;
      execute(venue, '', signedLots > 0 ? 'buy' : 'sell', Math.abs(signedLots), false);
      const hidden = venue.fills.splice(shown);
      reportPosition(venue);
      later(lateMs, {
        run: () => {
          venue.fills.push(...hidden);
          for (const fill of hidden) tellFill(venue, fill);
        },
      });
    },
    now,
  };
  start();
  return world;
}
