/** One contract on one venue, with its exact steps and limits. Plain data, any thread. */
import type { MarginTier } from './margin-tiers.ts';
import type { PremiumFormula } from './premium-rate.ts';
import type { MicroUnits, PicoRate, QuantityLots } from '../money/units.ts';

/** Name of a venue folder, for example `lighter`. */
export type VenueId = string;

/** One account on one venue: the key of everything a connector owns. */
export interface VenueAccount {
  readonly venue: VenueId;
  /** Configured name, for example `main`. */
  readonly account: string;
}

export interface Instrument {
  readonly venue: VenueId;
  /** The venue's own text, for example `BTC` on Lighter, `BTC-USD` on Extended. */
  readonly symbol: string;
  /** Canonical underlying, for example `BTC`. */
  readonly base: string;
  readonly quote: string;
  /** Units of the underlying per contract, for example 1000 for `1000PEPE`. */
  readonly multiplier: number;
  /** A price is a count of ticks; one tick is `tickUnits` x 10^-priceDecimals. */
  readonly priceDecimals: number;
  readonly tickUnits: number;
  /** Most significant digits of a price, where the venue bounds them; whole quote units are always allowed. */
  readonly priceDigitsMax?: number;
  /** A quantity (of contracts) is a count of lots; one lot is `lotUnits` x 10^-quantityDecimals. */
  readonly quantityDecimals: number;
  readonly lotUnits: number;
  readonly minQuantityLots: QuantityLots;
  /** Largest quantity of one order; absent where the venue has no such limit. */
  readonly maxQuantityLots?: QuantityLots;
  readonly minNotionalMicro: MicroUnits;
  readonly maxNotionalMicro: MicroUnits;
  /** Whole number, rounded down. */
  readonly maxLeverage: number;
  readonly maintenanceMarginRate: PicoRate;
  /** Other terms for larger positions, in rising order; absent where there are none or they were not read. */
  readonly marginTiers?: readonly MarginTier[];
  readonly makerFee: PicoRate;
  readonly takerFee: PicoRate;
  readonly fundingIntervalMs: number;
  /** How its rate follows from its premium; absent where a prediction is all there is. */
  readonly premiumFormula?: PremiumFormula;
  /** The price used for the funding payment. */
  readonly fundingPrice: 'mark' | 'index' | 'oracle';
  readonly status: 'active' | 'reduce-only' | 'inactive';
  /** Venue's limit-price band around mark as a fraction in pico units; absent when unknown. */
  readonly priceBand?: PicoRate;
  /** The venue keeps orders that wait for the mark. */
  readonly hasStops?: true;
  /** How long the venue holds orders back that take, on purpose, monotonic ms; absent where it does not. */
  readonly takerDelayMs?: number;
  /** Traded in the 24 h before the instrument was read, quote; absent where the venue does not say. */
  readonly volume24hQuote?: number;
}
