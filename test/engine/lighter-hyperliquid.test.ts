import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import type { TandemConfig } from '../../config/schema.ts';
import { startEngine } from '../../src/composition/live/engine.ts';
import type { VenueOracle } from '../../src/simulation/simulated-venue.ts';
import type { JournalRow } from '../../src/storage/rows.ts';
import { hasSharedData, SHARED_DATA } from './january.ts';
import { expectBooksExact, expectRowsExact } from './identities-check.ts';
import { readJournal } from './journal-rows.ts';
import { expectLedgerEqualsOracle, tradedPairs } from './ledger-check.ts';

const VENUES = ['lighter', 'hyperliquid'] as const;
/** Payments of both legs together that a pair is held for. */
const PAYMENTS_WANTED = 6;

const TRADE = { type: 'set-engine-state', state: 'TRADING', reason: 'the recorded hours begin' } as const;
const ARM = { type: 'set-engine-state', state: 'ARMED', reason: 'the recorded hours are over' } as const;
const LEAVE = { type: 'exit-pair', reason: 'MANUAL' } as const;

/** The hours and thresholds of the January test, with Hyperliquid itself in place of the venue that borrows its funding there. */
function configOf(dataDir: string): TandemConfig {
  const file = join(dataDir, 'lighter-hyperliquid.yaml');
  const january = readFileSync(join(import.meta.dirname, 'january.yaml'), 'utf8');
  writeFileSync(file, january.replaceAll('extended', 'hyperliquid'));
  const rows = (path: string): string => join(SHARED_DATA, path);
  return loadConfig(file, {
    dataDir,
    // Often enough that the last booking is not what the test waits for.
    poll: { fundingMs: 3_000 },
    tape: {
      kind: 'recorded',
      venues: {
        lighter: {
          series: 'lighter',
          fundingFile: rows('funding/lighter.csv.gz'),
          candlesFiles: [rows('candles/lighter-1h.csv.gz'), rows('candles/binance-1h.csv.gz')],
        },
        hyperliquid: {
          series: 'hyperliquid',
          fundingFile: rows('funding/hyperliquid.csv.gz'),
          candlesFiles: [rows('candles/hyperliquid-1h.csv.gz'), rows('candles/binance-1h.csv.gz')],
        },
      },
      from: '2026-01-01T00:00:00Z',
      to: '2026-01-27T00:00:00Z',
    },
  });
}

interface Played {
  readonly rows: readonly JournalRow[];
  readonly oracles: ReadonlyMap<string, VenueOracle>;
}

function paymentsMade(oracles: ReadonlyMap<string, VenueOracle>): number {
  return [...oracles.values()].reduce(
    (sum, oracle) => sum + (oracle.accounts.get('main')?.fundingPayments.length ?? 0),
    0,
  );
}

/** Opens what the rates call for, holds it, closes it again, and waits until both venues are flat and every payment is booked. */
async function play(): Promise<Played> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tandem-hyperliquid-'));
  const config = configOf(dataDir);
  const engine = await startEngine(config, { log: () => undefined, onUnkillable: () => undefined });
  try {
    const { system } = engine;
    while (!(await engine.readiness()).ready) await sleep(200);
    system.tell('guard', TRADE);
    // Hours pass in seconds: until a pair has been open across some settlements.
    while (!tradedPairs(readJournal(dataDir)).some((pair) => pair.fundingPayments >= PAYMENTS_WANTED)) await sleep(500);
    system.tell('guard', ARM);
    for (const base of config.symbols) system.tell(`position/${base}`, LEAVE);
    const oracles = async (): Promise<Map<string, VenueOracle>> =>
      new Map(await Promise.all(VENUES.map(async (venue) => [venue, await engine.accounts.oracle(venue)] as const)));
    for (;;) {
      const now = await oracles();
      const isFlat = [...now.values()].every((oracle) => oracle.accounts.get('main')?.positions.size === 0);
      const booked = readJournal(dataDir).filter((row) => row.type === 'funding').length;
      if (isFlat && booked >= paymentsMade(now)) break;
      await sleep(200);
    }
    const final = await oracles();
    expectBooksExact((await engine.summary())?.identities);
    expect(await engine.stop()).toBe(true);
    expectRowsExact(readJournal(dataDir));
    return { rows: readJournal(dataDir), oracles: final };
  } catch (error) {
    await engine.stop();
    throw error;
  }
}

describe.skipIf(!hasSharedData)('recorded hours of Lighter against Hyperliquid (needs ../shared/data)', () => {
  let played: Played;
  beforeAll(async () => {
    played = await play();
  }, 600_000);

  it('opens a pair, is paid and pays funding, and closes it', () => {
    const pairs = tradedPairs(played.rows);
    expect(pairs.length).toBeGreaterThan(0);
    for (const pair of pairs) expect([pair.long, pair.short].toSorted()).toEqual(['hyperliquid', 'lighter']);
    expect(pairs.some((pair) => pair.fundingPayments >= PAYMENTS_WANTED)).toBe(true);
    expect(paymentsMade(played.oracles)).toBeGreaterThan(0);
  });

  it.each(VENUES)('has in its ledger what %s has: fill for fill, payment for payment, to the micro-unit', (venue) => {
    const oracle = played.oracles.get(venue);
    const account = oracle?.accounts.get('main');
    expect(account?.fills.length).toBeGreaterThanOrEqual(2);
    if (account !== undefined) expectLedgerEqualsOracle(played.rows, venue, 'main', account);
    expect(oracle?.rateLimitRefusals).toBe(0);
  });
});
