/** What recordings and fits lack: typical spread, depth and daily volume of each market, varied by the hour. Pure; any thread. */
import { hashText } from '../runtime/random.ts';

const HOUR_MS = 3_600_000;

export interface Texture {
  /** Full spread at the touch, bps of mid. */
  readonly spreadBps: number;
  /** Quote value within 10 bps of mid on each side. */
  readonly depthQuote: number;
  /** Quote value traded in a day. */
  readonly volume24hQuote: number;
}

/** Orders of magnitude of a large venue: BTC and ETH from recorded books, the others scaled by their recorded volumes. */
const TEXTURES: ReadonlyMap<string, Texture> = new Map([
  ['BTC', { spreadBps: 0.5, depthQuote: 3_000_000, volume24hQuote: 1_500_000_000 }],
  ['ETH', { spreadBps: 0.6, depthQuote: 2_000_000, volume24hQuote: 900_000_000 }],
  ['SOL', { spreadBps: 1.0, depthQuote: 800_000, volume24hQuote: 250_000_000 }],
  ['HYPE', { spreadBps: 1.6, depthQuote: 400_000, volume24hQuote: 120_000_000 }],
  ['XRP', { spreadBps: 1.6, depthQuote: 300_000, volume24hQuote: 80_000_000 }],
  ['DOGE', { spreadBps: 1.8, depthQuote: 200_000, volume24hQuote: 50_000_000 }],
  ['BNB', { spreadBps: 1.6, depthQuote: 250_000, volume24hQuote: 60_000_000 }],
]);
const OTHERS: Texture = { spreadBps: 3, depthQuote: 100_000, volume24hQuote: 20_000_000 };

/** How one venue differs from the typical one. */
const VENUES: ReadonlyMap<string, { readonly spread: number; readonly depth: number; readonly volume: number }> =
  new Map([
    ['lighter', { spread: 1, depth: 1, volume: 1 }],
    ['extended', { spread: 1.3, depth: 0.5, volume: 0.4 }],
    ['hyperliquid', { spread: 0.8, depth: 1, volume: 1.2 }],
    ['bybit', { spread: 0.5, depth: 2, volume: 3 }],
  ]);

/** Returns the texture of a market in the hour of an instant; spreads and depth vary by about a third from hour to hour. */
export function textureAt(seed: number, venue: string, base: string, calendarMs: number): Texture {
  const typical = TEXTURES.get(base) ?? OTHERS;
  const differs = VENUES.get(venue) ?? { spread: 1, depth: 0.7, volume: 0.7 };
  const hour = Math.floor(calendarMs / HOUR_MS);
  const nervous = fraction(seed, `${venue}/${base}/${hour}`);
  return {
    spreadBps: typical.spreadBps * differs.spread * (0.8 + 0.6 * nervous),
    depthQuote: typical.depthQuote * differs.depth * (1.2 - 0.5 * nervous),
    volume24hQuote:
      typical.volume24hQuote * differs.volume * (0.85 + 0.3 * fraction(seed, `${base}/${Math.floor(hour / 24)}`)),
  };
}

function fraction(seed: number, text: string): number {
  return hashText(text, seed) / 4_294_967_296;
}
