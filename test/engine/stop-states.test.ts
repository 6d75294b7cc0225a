/** An engine told to stop (Ctrl-C, SIGTERM) in whatever state: it leaves no order at a venue and no fill out of its journal. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { startEngine } from '../../src/composition/live/engine.ts';
import type { Engine } from '../../src/composition/live/engine.ts';
import { hostVenues, VENUES } from './hosted-venues.ts';
import type { HostedVenues } from './hosted-venues.ts';
import { readJournal } from './journal-rows.ts';
import { expectLedgerEqualsOracle } from './ledger-check.ts';

const CONFIG = join(import.meta.dirname, 'fixtures', 'kill.yaml');
const TRADE = { type: 'set-engine-state', state: 'TRADING', reason: 'stop test' } as const;
const ARM = { type: 'set-engine-state', state: 'ARMED', reason: 'stop test' } as const;
const LEAVE = { type: 'exit-pair', reason: 'MANUAL' } as const;
const FLATTEN = { type: 'kill', level: 3, reason: 'stop test' } as const;
/** A state in between may have passed before it is seen: it is waited for again in another life. */
const LIVES_MAX = 6;

describe('an engine told to stop', { timeout: 240_000 }, () => {
  let hosted: HostedVenues;
  const dataDir = mkdtempSync(join(tmpdir(), 'tandem-stop-'));
  const anchorAt = new Date().toISOString();
  const bases = loadConfig(CONFIG, { dataDir }).symbols;

  beforeAll(async () => {
    hosted = await hostVenues(loadConfig(CONFIG, { dataDir, calendar: { anchorAt } }));
  });
  afterAll(() => hosted.close());

  const start = async (): Promise<Engine> =>
    await startEngine(
      loadConfig(CONFIG, { dataDir, calendar: { anchorAt }, exit: { maxHoldH: 10_000 }, venues: hosted.addresses }),
      {
        log: () => undefined,
        onUnkillable: () => undefined,
      },
    );
  const phases = async (engine: Engine): Promise<readonly string[]> =>
    (await engine.summary())?.pairs.map(({ phase }) => phase) ?? [];

  /** Waits until some pair is in one of these phases. False when everything came to rest without being seen in it. */
  async function seen(engine: Engine, wanted: readonly string[], isOver: readonly string[]): Promise<boolean> {
    for (;;) {
      const now = await phases(engine);
      if (now.some((phase) => wanted.includes(phase))) return true;
      if (now.length > 0 && now.every((phase) => isOver.includes(phase))) return false;
      await sleep(1);
    }
  }

  /** Closes every pair, so that the next life opens some again. */
  async function leaveAll(engine: Engine): Promise<void> {
    engine.system.tell('guard', ARM);
    for (const base of bases) engine.system.tell(`position/${base}`, LEAVE);
    while (VENUES.some((name) => hosted.account(name).positions.size > 0)) await sleep(20);
  }

  function expectNothingLeft(): void {
    const rows = readJournal(dataDir);
    for (const name of VENUES) {
      const books = hosted.account(name);
      expect(books.orders.filter(({ status }) => status === 'queued' || status === 'open')).toEqual([]);
      const booked = rows.filter(({ type, payload }) => {
        const event = payload['event'] as { readonly venue?: string } | undefined;
        return type === 'fill' && event?.venue === name;
      });
      expect([name, booked.length]).toEqual([name, books.fills.length]);
    }
  }

  it('at once after its start, and while it recovers', async () => {
    expect(await (await start()).stop()).toBeDefined();
    expectNothingLeft();
    const recovering = await start();
    await seen(recovering, ['RECOVERING'], ['IDLE', 'CLOSED']);
    await recovering.stop();
    expectNothingLeft();
  });

  it('while pairs are being opened', async () => {
    for (let life = 0; ; life++) {
      expect(life).toBeLessThan(LIVES_MAX);
      const engine = await start();
      while (!(await engine.readiness()).ready) await sleep(20);
      engine.system.tell('guard', TRADE);
      const wasOpening = await seen(engine, ['PREFLIGHT', 'OPENING'], ['OPEN']);
      if (!wasOpening) await leaveAll(engine);
      expect(await engine.stop()).toBe(true);
      expectNothingLeft();
      if (wasOpening) break;
    }
  });

  it('while pairs are open', async () => {
    const engine = await start();
    while (!(await engine.readiness()).ready) await sleep(20);
    engine.system.tell('guard', TRADE);
    await seen(engine, ['OPEN'], []);
    expect(await engine.stop()).toBe(true);
    expectNothingLeft();
    expect(VENUES.some((name) => hosted.account(name).positions.size > 0)).toBe(true);
  });

  it('while a pair is being closed', async () => {
    const engine = await start();
    while (!(await engine.readiness()).ready) await sleep(20);
    for (const base of bases) engine.system.tell(`position/${base}`, LEAVE);
    await seen(engine, ['CLOSING', 'UNWINDING'], ['CLOSED', 'IDLE', 'FAILED']);
    expect(await engine.stop()).toBe(true);
    expectNothingLeft();
  });

  it('while it flattens, and the next one goes on with it until nothing is held and the ledger equals the venues', async () => {
    const engine = await start();
    while (!(await engine.readiness()).ready) await sleep(20);
    engine.system.tell('guard', FLATTEN);
    expect(await engine.stop()).toBe(true);
    expectNothingLeft();
    const last = await start();
    while (VENUES.some((name) => hosted.account(name).positions.size > 0)) await sleep(50);
    const payments = (): number => VENUES.reduce((sum, name) => sum + hosted.account(name).fundingPayments.length, 0);
    while (readJournal(dataDir).filter(({ type }) => type === 'funding').length < payments()) await sleep(200);
    expect(await last.stop()).toBe(true);
    for (const name of VENUES) expectLedgerEqualsOracle(readJournal(dataDir), name, 'main', hosted.account(name));
  });
});
