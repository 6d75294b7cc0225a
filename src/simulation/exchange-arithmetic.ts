/** Exact money arithmetic of one simulated market: notional, fees, marks and funding as integers. Pure; any thread. */
import type { Instrument } from '../market/instrument.ts';
import { divideHalfEven, divideUp } from '../money/rounding.ts';

const MICRO_DECIMALS = 6;
const NANO_DECIMALS = 9;
const PICO = 10n ** 12n;

/** The constants of one market, worked out once. */
export interface MarketScale {
  readonly instrument: Instrument;
  /** Quote units of one tick and contracts of one lot, for the float side (outside book, statistics). */
  readonly tickSize: number;
  readonly lotSize: number;
  /** Micro-units of one tick x one lot; a whole number by construction. */
  readonly unitMicro: bigint;
  readonly lotUnits: bigint;
  readonly quantityScale: bigint;
}

/** Returns a market's constants; throws RangeError when its notional would not be a whole number of micro-units. */
export function marketScale(instrument: Instrument): MarketScale {
  const { priceDecimals, quantityDecimals } = instrument;
  if (priceDecimals + quantityDecimals > MICRO_DECIMALS) {
    throw new RangeError(
      `price and quantity decimals of ${instrument.venue} ${instrument.symbol} must add up to at most ${MICRO_DECIMALS}, ` +
        `so that every notional is a whole number of micro-units, were ${priceDecimals} + ${quantityDecimals}`,
    );
  }
  const unitMicro =
    BigInt(instrument.tickUnits) *
    BigInt(instrument.lotUnits) *
    10n ** BigInt(MICRO_DECIMALS - priceDecimals - quantityDecimals);
  return {
    instrument,
    tickSize: instrument.tickUnits / 10 ** priceDecimals,
    lotSize: instrument.lotUnits / 10 ** quantityDecimals,
    unitMicro,
    lotUnits: BigInt(instrument.lotUnits),
    quantityScale: 10n ** BigInt(quantityDecimals),
  };
}

/** Price x quantity in micro-units, exact; signed as `lots` is. */
export function notionalMicro(scale: MarketScale, priceTicks: number, lots: number): bigint {
  return BigInt(priceTicks) * BigInt(lots) * scale.unitMicro;
}

/** Value of a signed quantity at a 1e-9 price, half-even to micro-units. */
export function valueMicro(scale: MarketScale, signedLots: number, priceNano: bigint): bigint {
  const decimals = BigInt(NANO_DECIMALS - MICRO_DECIMALS);
  return divideHalfEven(BigInt(signedLots) * scale.lotUnits * priceNano, scale.quantityScale * 10n ** decimals);
}

/** Cash flow of a fee: the exact product rounded against the account, so negative when paid. */
export function feeMicro(notional: bigint, ratePico: number): bigint {
  return -divideUp(notional * BigInt(ratePico), PICO);
}

/** Cash flow of one settlement to the holder of `signedLots`: -(quantity) x price x rate, half-even, rounded once. */
export function fundingMicro(scale: MarketScale, signedLots: number, priceNano: bigint, ratePico: number): bigint {
  const decimals = BigInt(NANO_DECIMALS - MICRO_DECIMALS);
  const numerator = -BigInt(signedLots) * scale.lotUnits * priceNano * BigInt(ratePico);
  return divideHalfEven(numerator, scale.quantityScale * 10n ** decimals * PICO);
}

/** Returns |value| x rate rounded up: margins are never understated. */
export function marginMicro(value: bigint, ratePico: number): bigint {
  return divideUp((value < 0n ? -value : value) * BigInt(ratePico), PICO);
}

/** A tape price per unit of underlying as 1e-9 quote per contract. */
export function priceNanoOf(scale: MarketScale, underlyingPrice: number): bigint {
  return BigInt(Math.round(underlyingPrice * scale.instrument.multiplier * 1e9));
}
