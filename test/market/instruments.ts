/** Instruments and books for tests: small numbers that are easy to follow, any field replaceable. */
import type { BookLevel, BookView } from '../../src/market/book.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import type { MicroUnits, PicoRate, QuantityLots } from '../../src/money/units.ts';

export const pico = (value: number): PicoRate => value as PicoRate;
export const micro = (value: bigint): MicroUnits => value as MicroUnits;
export const lots = (value: number): QuantityLots => value as QuantityLots;

/** Tick 0.05, lot 0.1, taker 0.025 %, leverage up to 10, maintenance 1.2 %. */
export function instrument(changes: Partial<Instrument> = {}): Instrument {
  return {
    venue: 'lighter',
    symbol: 'ETH',
    base: 'ETH',
    quote: 'USDC',
    multiplier: 1,
    priceDecimals: 2,
    tickUnits: 5,
    quantityDecimals: 1,
    lotUnits: 1,
    minQuantityLots: lots(1),
    minNotionalMicro: micro(10_000_000n),
    maxNotionalMicro: micro(1_000_000_000_000n),
    maxLeverage: 10,
    maintenanceMarginRate: pico(12_000_000_000),
    makerFee: pico(0),
    takerFee: pico(250_000_000),
    fundingIntervalMs: 3_600_000,
    fundingPrice: 'mark',
    status: 'active',
    ...changes,
  };
}

export function book(
  bids: readonly BookLevel[],
  asks: readonly BookLevel[],
  changes: Partial<BookView> = {},
): BookView {
  return { venue: 'lighter', symbol: 'ETH', bids, asks, venueAtMs: 0, receivedAtMonotonicMs: 0, ...changes };
}
