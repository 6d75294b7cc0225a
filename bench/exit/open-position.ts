/** One position actor that holds a pair, recovered from its rows by a journal and venues that answer at once. Main thread. */
import { position } from '../../actors/position.ts';
import { pageOfRows } from '../../src/storage/row-page.ts';
import type { PositionArgs } from '../../actors/position.ts';
import type { ConnectorCommand, MarketEvent } from '../../actors/connector-messages.ts';
import type { AppendRows, JournalMessage } from '../../actors/journal-messages.ts';
import type { PositionMessage } from '../../actors/position-messages.ts';
import type { PositionState } from '../../actors/position/state.ts';
import type { BookLevel } from '../../src/market/book.ts';
import { HOUR_MS } from '../../src/market/funding-rate.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import type { PicoRate } from '../../src/money/units.ts';
import { priceOf } from '../../src/money/amounts.ts';
import type { MessageShape } from '../../src/runtime/actor.ts';
import { SoloActor, type HandClock } from '../solo-actor.ts';
import { ACCOUNT, BASE, type HeldPair } from './held-pair.ts';

/** Levels a connector tells on each side. */
const LEVELS = 20;
const LEVEL_LOTS = 5_000;
const WALLET_MICRO = 10_000_000_000n;

export class OpenPosition {
  readonly #actor: SoloActor<PositionArgs, PositionState, PositionMessage>;
  readonly #pair: HeldPair;
  readonly #clock: HandClock;
  readonly #toCome: PositionMessage[] = [];

  /** Throws unless the position ends up open. */
  constructor(pair: HeldPair, clock: HandClock) {
    this.#pair = pair;
    this.#clock = clock;
    this.#actor = new SoloActor(position, pair.args, {
      path: `position/${BASE}`,
      clock,
      onTold: (_to, message) => this.#answer(message),
    });
    this.#settle();
    for (const instrument of pair.instruments) for (const event of standing(instrument, clock)) this.#take(event);
    this.#take({ type: 'engine-state-changed', state: 'TRADING', reason: '', flatten: false });
    this.#take({ type: 'position-tick' });
    this.expectOpen();
  }

  get state(): PositionState {
    return this.#actor.state;
  }

  /** Hands over one market event; returns whether that led to a look at the exit. */
  look(event: MarketEvent): boolean {
    const before = this.state.lastExitEvaluationAtMs;
    this.#actor.receive(event);
    return this.state.lastExitEvaluationAtMs !== before;
  }

  expectOpen(): void {
    const { stage, pair, exitWanted } = this.state;
    if (stage !== 'running' || pair?.record.phase !== 'OPEN' || exitWanted !== undefined)
      throw new Error(`the position must be open and stay, is ${stage} ${pair?.record.phase ?? 'without a pair'}`);
  }

  #take(message: PositionMessage): void {
    this.#actor.receive(message);
    this.#settle();
  }

  /** Hands over answers until there are none. */
  #settle(): void {
    for (let next = this.#toCome.shift(); next !== undefined; next = this.#toCome.shift()) this.#actor.receive(next);
  }

  #answer(message: MessageShape): void {
    for (const { whenDurable } of appendsOf(message)) {
      // Told to the position itself: what it is given is its own message back.
      for (const told of whenDurable) this.#toCome.push(told.message as PositionMessage);
    }
    if (isRead(message)) {
      this.#toCome.push({
        type: 'rows-read',
        readId: message.readId,
        page: pageOfRows(this.#pair.rows),
        complete: true,
      });
    } else if (isReconcile(message)) {
      const { symbol, reconcileId } = message;
      const leg = (['long', 'short'] as const).find((side) => this.#pair.record[side].symbol === symbol) ?? 'long';
      const { venue, lots } = this.#pair.record[leg];
      const signedLots = leg === 'long' ? lots : -lots;
      const at = this.#clock.monotonicMs;
      this.#toCome.push(
        {
          ...{ type: 'position-reported', venue, account: ACCOUNT, symbol, signedLots, source: 'query', sequence: 1 },
          receivedAtMonotonicMs: at,
        },
        {
          ...{ type: 'reconciled', venue, account: ACCOUNT, symbol, reconcileId, ok: true, signedLots },
          openClientOrderIds: [],
        },
      );
    }
  }
}

function appendsOf(message: MessageShape): readonly AppendRows[] {
  // Told to the journal: these are its own messages.
  if (message.type === 'append-rows') return [message as AppendRows];
  return message.type === 'append-together' ? (message as unknown as { appends: readonly AppendRows[] }).appends : [];
}

function isRead(message: MessageShape): message is Extract<JournalMessage, { type: 'read-rows' }> {
  return message.type === 'read-rows';
}

function isReconcile(message: MessageShape): message is Extract<ConnectorCommand, { type: 'reconcile-symbol' }> {
  return message.type === 'reconcile-symbol';
}

/** What a connector tells of an instrument and its account at the start. The short leg's venue pays. */
function standing(instrument: Instrument, { nowMs, monotonicMs }: HandClock): readonly MarketEvent[] {
  const { venue, symbol, fundingIntervalMs } = instrument;
  const nextHourMs = (Math.floor(nowMs / HOUR_MS) + 1) * HOUR_MS;
  const hourly = (venue === 'lighter' ? 0 : 20_000_000) as PicoRate;
  const rate = (kind: 'predicted' | 'settled', settleAtMs: number): MarketEvent => ({
    ...{ type: 'funding-rate-changed', venue, symbol, base: BASE, kind, settleAtMs },
    rate: {
      ...{ venue, symbol, kind, raw: '', unit: { scale: 'fraction', perMs: HOUR_MS }, hourly },
      ...{ intervalMs: fundingIntervalMs, settleAtMs, venueAtMs: nowMs },
    },
    receivedAtMonotonicMs: monotonicMs,
  });
  return [
    { type: 'instrument-listed', venue, account: ACCOUNT, symbol, instrument },
    { type: 'leverage-reported', venue, account: ACCOUNT, symbol, base: BASE, leverage: 3 },
    {
      ...{ type: 'account-changed', venue, account: ACCOUNT, walletMicro: WALLET_MICRO, availableMicro: WALLET_MICRO },
      receivedAtMonotonicMs: monotonicMs,
    },
    {
      ...{ type: 'venue-status', venue, account: ACCOUNT, status: 'ready', reason: '', clockOffsetMs: 0 },
      ...{ clockErrorMs: 1, entriesAllowed: true, openBudgetShare: 1 },
    },
    ...Array.from({ length: 24 }, (_, back) => rate('settled', nextHourMs - (24 - back) * HOUR_MS)),
    rate('predicted', nextHourMs),
  ];
}

/** A mark and a book around a price of the instrument, moved by some ticks. */
export function marketAt(
  instrument: Instrument,
  ticks: number,
  { nowMs, monotonicMs }: HandClock,
): { readonly mark: MarketEvent; readonly book: MarketEvent } {
  const { venue, symbol } = instrument;
  const levels = (direction: 1 | -1): BookLevel[] =>
    Array.from({ length: LEVELS }, (_, index) => [ticks + direction * (1 + index), LEVEL_LOTS]);
  const markNano = BigInt(Math.round(priceOf(ticks, instrument) * 1e6)) * 1_000n;
  return {
    mark: {
      ...{ type: 'mark-changed', venue, symbol, base: BASE, markNano, indexNano: markNano },
      ...{ venueAtMs: nowMs, receivedAtMonotonicMs: monotonicMs },
    },
    book: {
      ...{ type: 'book-changed', venue, symbol, base: BASE },
      book: {
        ...{ venue, symbol, bids: levels(-1), asks: levels(1), venueAtMs: nowMs },
        receivedAtMonotonicMs: monotonicMs,
      },
    },
  };
}
