/** Recorded Hyperliquid payloads from the shared folder, and the markets the tests know. */
import { existsSync, readFileSync } from 'node:fs';
import { HyperliquidMarkets } from '../../../src/venues/hyperliquid/markets.ts';
import { parseMeta } from '../../../src/venues/hyperliquid/parse.ts';

const folder = new URL('../../../../shared/venues/fixtures/hyperliquid/', import.meta.url);
export const hasFixtures = existsSync(folder);

/** The text of one recorded frame or body, for example `ws-bbo/tardis-bbo-9`. */
export function fixtureText(name: string): string {
  return readFileSync(new URL(`${name}.json`, folder), 'utf8');
}

/** The recorded answer of a question, or the whole payload where only that was kept. */
export function answer(name: string): unknown {
  const held = JSON.parse(fixtureText(name)) as unknown;
  return typeof held === 'object' && held !== null && 'response' in held && 'request' in held ? held.response : held;
}

export const META = {
  universe: [
    { name: 'BTC', szDecimals: 5, maxLeverage: 40, marginTableId: 56 },
    { name: 'ETH', szDecimals: 4, maxLeverage: 25, marginTableId: 55 },
    { name: 'OLD', szDecimals: 1, maxLeverage: 3, isDelisted: true },
    { name: 'kPEPE', szDecimals: 0, maxLeverage: 10 },
    { name: 'MOODENG', szDecimals: 0, maxLeverage: 5, onlyIsolated: true },
    { name: 'ARB', szDecimals: 1, maxLeverage: 10 },
    { name: 'JUP', szDecimals: 0, maxLeverage: 10 },
    { name: 'TON', szDecimals: 1, maxLeverage: 10 },
    { name: 'SUI', szDecimals: 1, maxLeverage: 10 },
    { name: 'APE', szDecimals: 1, maxLeverage: 5 },
    { name: 'INJ', szDecimals: 1, maxLeverage: 5 },
    { name: 'MATIC', szDecimals: 1, maxLeverage: 20 },
    { name: 'ATOM', szDecimals: 2, maxLeverage: 5 },
  ],
};

export function knownMarkets(): HyperliquidMarkets {
  const markets = new HyperliquidMarkets();
  markets.replace(parseMeta(META).markets);
  return markets;
}
