/** Whether what a venue says can be: bounds no honest venue comes near. Pure judgements, and their consequence. Connector thread. */
import { feeMicro, microText, notionalMicroAtNano, notionalMicro } from '../../src/money/amounts.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import type { MicroUnits } from '../../src/money/units.ts';
import type { FillReport, PositionReport, VenueEvent } from '../../src/venues/venue.ts';
import { doubt, settle } from './doubts.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';

/** No account of ours is worth, and no position of ours has, this much: 1e9 quote. */
const MONEY_MAX_MICRO = 10n ** 15n;
/** A mark this far from the one before, as a divisor of it, waits for others that confirm it. */
const MARK_JUMP = 5n;
const MARK_AGREES = 20n;
const MARK_CONFIRMATIONS = 3;
/** Fees of a tier: half a percent paid out to one percent taken, 1e-12. */
const FEE_RATE_MIN = -5e9;
const FEE_RATE_MAX = 1e10;
/** A fee that takes more of its notional than this is no fee, as a divisor: 5 %. */
const FEE_ABSURD = 20n;
/** A fee may differ from what the tier asks by a twentieth and a thousandth of a quote unit: venues round. */
const FEE_SLACK = 20n;
const FEE_ROUNDING_MICRO = 1_000n;

export function isBalancePossible(
  state: ConnectorState,
  self: ConnectorSelf,
  { walletMicro, availableMicro = 0n as MicroUnits }: Extract<VenueEvent, { type: 'balance' }>,
): boolean {
  const isPossible =
    walletMicro >= 0n &&
    walletMicro <= MONEY_MAX_MICRO &&
    availableMicro <= MONEY_MAX_MICRO &&
    availableMicro >= -MONEY_MAX_MICRO;
  const value = `${microText(walletMicro)} of which ${microText(availableMicro)} free`;
  if (isPossible) settle(state, self, 'BALANCE', 'wallet');
  else doubt(state, self, 'BALANCE', 'wallet', 'must be from 0 to 1e9 quote', value);
  return isPossible;
}

/** Without a mark nothing can be said about its value. */
export function isPositionPossible(
  state: ConnectorState,
  self: ConnectorSelf,
  symbol: string,
  report: PositionReport | undefined,
): boolean {
  const lots = Math.abs(report?.signedLots ?? 0);
  const instrument = state.instruments.get(symbol);
  const mark = state.marks.get(symbol)?.message.markNano;
  const notional =
    instrument === undefined || mark === undefined
      ? 0n
      : notionalMicroAtNano(instrument, mark, Math.min(lots, Number.MAX_SAFE_INTEGER));
  const isPossible = Number.isSafeInteger(lots) && notional <= MONEY_MAX_MICRO;
  if (isPossible) settle(state, self, 'POSITION', symbol);
  else doubt(state, self, 'POSITION', symbol, 'must be worth at most 1e9 quote', `${report?.signedLots} lots`);
  return isPossible;
}

/** A jump is believed once others agree with it: one wild tick must neither trade nor close anything. */
export function isMarkPossible(state: ConnectorState, self: ConnectorSelf, symbol: string, markNano: bigint): boolean {
  const held = state.heldMarks.get(symbol);
  const last = state.marks.get(symbol)?.message.markNano;
  if (markNano <= 0n) {
    doubt(state, self, 'MARK', symbol, 'must be above 0', `${Number(markNano) / 1e9}`);
    return false;
  }
  if (last === undefined || isWithin(markNano, last, MARK_JUMP)) {
    state.heldMarks.delete(symbol);
    settle(state, self, 'MARK', symbol);
    return true;
  }
  const agreeing = held !== undefined && isWithin(markNano, held.markNano, MARK_AGREES) ? held.agreeing + 1 : 1;
  if (agreeing >= MARK_CONFIRMATIONS) {
    state.heldMarks.delete(symbol);
    settle(state, self, 'MARK', symbol);
    return true;
  }
  state.heldMarks.set(symbol, { markNano, agreeing });
  doubt(state, self, 'MARK', symbol, `must be within 20 % of ${Number(last) / 1e9}`, `${Number(markNano) / 1e9}`);
  return false;
}

export function isFeeTierPossible(
  state: ConnectorState,
  self: ConnectorSelf,
  { symbol = 'all', makerFee, takerFee }: Extract<VenueEvent, { type: 'fee-tier' }>,
): boolean {
  const isPossible = [makerFee, takerFee].every((rate) => rate >= FEE_RATE_MIN && rate <= FEE_RATE_MAX);
  if (isPossible) settle(state, self, 'FEE_TIER', symbol);
  else
    doubt(
      state,
      self,
      'FEE_TIER',
      symbol,
      'must be from -0.5 % to 1 %',
      `${makerFee / 1e10} % and ${takerFee / 1e10} %`,
    );
  return isPossible;
}

/**
 * Returns the fill as it is booked. It happened, so it is never dropped; a fee that cannot be one is replaced by what the tier asks, so
 * that it neither books nonsense nor looks like a loss. A fee that merely does not add up is booked as the venue says, and the tier is
 * read again: with the new one it may. Until then nothing is entered here.
 */
export function plausibleFill(state: ConnectorState, self: ConnectorSelf, fill: FillReport): FillReport {
  const instrument = state.instruments.get(fill.symbol);
  if (instrument === undefined) return fill;
  judgeFillPrice(state, self, fill);
  // Of another life's fills the tier of their time is not known.
  if (state.orders.has(fill.clientOrderId)) judgeFee(state, self, fill, instrument);
  const notional = notionalMicro(instrument, fill.priceTicks, fill.lots);
  if (abs(fill.feeMicro) <= notional / FEE_ABSURD + FEE_ROUNDING_MICRO) return fill;
  doubt(state, self, 'FEE', fill.symbol, `of fill ${fill.fillId} must be at most 5 %`, microText(-fill.feeMicro));
  return { ...fill, feeMicro: -tierFee(fill, instrument) as MicroUnits };
}

/** A tier was read: fees that did not add up by the last one may now. */
export function rejudgeFees(state: ConnectorState, self: ConnectorSelf): void {
  for (const fill of [...state.feeSuspects.values()]) {
    const instrument = state.instruments.get(fill.symbol);
    if (instrument !== undefined) judgeFee(state, self, fill, instrument);
  }
}

function judgeFee(state: ConnectorState, self: ConnectorSelf, fill: FillReport, instrument: Instrument): void {
  const expected = tierFee(fill, instrument);
  const paid = -fill.feeMicro;
  if (abs(paid - expected) <= abs(expected) / FEE_SLACK + FEE_ROUNDING_MICRO) {
    state.feeSuspects.delete(fill.symbol);
    settle(state, self, 'FEE', fill.symbol);
    return;
  }
  const isKnown = state.feeSuspects.get(fill.symbol) === fill;
  state.feeSuspects.set(fill.symbol, fill);
  doubt(
    state,
    self,
    'FEE',
    fill.symbol,
    `of fill ${fill.fillId} must be ${microText(expected)} by our tier`,
    microText(paid),
  );
  // Once per fill: a tier that was just read is not read again for the same one.
  if (!isKnown) state.feeDay = Number.NaN;
}

/** What our tier asks for a fill, positive when we pay. */
function tierFee({ liquidity, priceTicks, lots }: FillReport, instrument: Instrument): bigint {
  const rate = liquidity === 'maker' ? instrument.makerFee : instrument.takerFee;
  return -feeMicro(instrument, priceTicks, lots, rate);
}

/** Never worse than its order's limit. The fill counts all the same: lots are lots. */
function judgeFillPrice(state: ConnectorState, self: ConnectorSelf, fill: FillReport): void {
  const order = state.orders.get(fill.clientOrderId)?.order;
  if (order === undefined) return;
  const isPossible = order.side === 'buy' ? fill.priceTicks <= order.limitTicks : fill.priceTicks >= order.limitTicks;
  if (isPossible) settle(state, self, 'FILL_PRICE', fill.symbol);
  else
    doubt(
      state,
      self,
      'FILL_PRICE',
      fill.symbol,
      `of fill ${fill.fillId} must not be worse than its limit of ${order.limitTicks} ticks`,
      `${fill.priceTicks}`,
    );
}

function isWithin(value: bigint, other: bigint, divisor: bigint): boolean {
  return abs(value - other) * divisor <= other;
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}
