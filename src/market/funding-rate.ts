/** One funding rate as a venue stated it, with the unit it was stated in. Plain data, any thread. */
import type { PicoRate } from '../money/units.ts';
import type { VenueId } from './instrument.ts';

export interface FundingRate {
  readonly venue: VenueId;
  readonly symbol: string;
  readonly kind: 'predicted' | 'settled';
  /** The venue's text, for example "0.0012". */
  readonly raw: string;
  /** What `raw` is a rate of: percent or fraction, per this many ms. Declared by the venue's feed, never guessed. */
  readonly unit: { readonly scale: 'fraction' | 'percent'; readonly perMs: number };
  /** `raw` in that unit converted to a fraction per hour, signed (positive: longs pay shorts), exact or half-even. */
  readonly hourly: PicoRate;
  /** How often cash is exchanged. */
  readonly intervalMs: number;
  /** Predicted: the coming exchange. Settled: the exchange's own time. Calendar ms. */
  readonly settleAtMs: number;
  readonly venueAtMs: number;
}
