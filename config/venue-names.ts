/** The venues that have a folder under src/venues. Any thread. */

export const VENUE_NAMES = ['lighter', 'extended', 'bybit', 'hyperliquid', 'coinbase'] as const;
export type VenueName = (typeof VENUE_NAMES)[number];
