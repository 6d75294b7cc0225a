import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { GuardMessage } from '../../actors/guard-messages.ts';
import type { PositionMessage } from '../../actors/position-messages.ts';
import { loadConfig } from '../../config/load.ts';
import { startEngine } from '../../src/composition/live/engine.ts';
import type { Engine } from '../../src/composition/live/engine.ts';
import { randomStream } from '../../src/runtime/random.ts';
import type { ActorSnapshot, SystemSnapshot } from '../../src/runtime/snapshot.ts';
import { coreWaits, waitedSince } from './core-waits.ts';
import { expectBooksExact, expectRowsExact } from './identities-check.ts';
import { readJournal } from './journal-rows.ts';
import { expectLedgerEqualsOracle } from './ledger-check.ts';

const SEED = 20_261_121;
/** One less than the supervisors allow within their period: a machine that stalls may cost a thread by itself. */
const KILLS = 4;
/** What is promised: all actors of a killed thread run again so soon. */
const BACK_MS = 1_000;
const CONFIG = join(import.meta.dirname, 'fixtures', 'kill.yaml');
const VENUES = ['lighter', 'extended'] as const;

let engine: Engine | undefined;
afterEach(async () => {
  await engine?.stop();
  engine = undefined;
});

function actor(snapshot: SystemSnapshot, path: string): ActorSnapshot {
  const found = snapshot.actors.find((candidate) => candidate.path === path);
  if (found === undefined) throw new Error(`${path} must be in the tree`);
  return found;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

describe(`the trading worker killed ${KILLS} times under order flow (seed ${SEED})`, () => {
  it(
    'comes back with its actors within 1 s, leaves connectors and sockets alone, and loses nothing',
    { timeout: 600_000 },
    async () => {
      const dataDir = mkdtempSync(join(tmpdir(), 'tandem-worker-kill-'));
      const config = loadConfig(CONFIG, { dataDir, resumeTrading: true });
      const running = await startEngine(config, { log: () => undefined, onUnkillable: () => undefined });
      engine = running;
      const { system, accounts } = running;
      await until(async () => (await running.readiness()).ready);
      const random = randomStream(SEED, 'kill instants');
      const tradingPaths = ['guard', 'strategy', ...config.symbols.map((base) => `position/${base}`)];
      const orders = async (): Promise<number> =>
        (
          await Promise.all(
            VENUES.map(async (venue) => (await accounts.oracle(venue)).accounts.get('main')?.orders.length ?? 0),
          )
        ).reduce((sum, count) => sum + count, 0);

      const backAfter: { readonly backMs: number; readonly coreWaitMs: number }[] = [];
      for (let kill = 0; kill < KILLS; kill++) {
        const before = await orders();
        await until(async () => (await orders()) > before);
        await sleep(random.nextFraction() * 100);
        const lives = new Map((await system.snapshot()).actors.map((life) => [life.path, life.incarnation]));
        const waitedBefore = coreWaits();
        const killedAtMs = performance.now();
        system.killThread('trading-0');
        await until(async () => {
          // A dead thread's actors may not be listed for a while.
          const running = new Map(
            (await system.snapshot()).actors
              .filter(({ status }) => status === 'running')
              .map((life) => [life.path, life.incarnation]),
          );
          return tradingPaths.every((path) => (running.get(path) ?? 0) > (lives.get(path) ?? 0));
        });
        const backMs = performance.now() - killedAtMs;
        backAfter.push({ backMs: Math.round(backMs), coreWaitMs: Math.round(waitedSince(waitedBefore)) });
        await until(async () => (await running.readiness()).ready);
      }
      // What the threads of this process waited for a core is the machine's time, not ours; on one with cores to spare it is nothing.
      const late = backAfter.filter(({ backMs, coreWaitMs }) => backMs - coreWaitMs > BACK_MS);
      expect(late, JSON.stringify(backAfter)).toEqual([]);

      const snapshot = await system.snapshot();
      for (const venue of VENUES) {
        const connector = actor(snapshot, `connector/${venue}:main`);
        expect(connector.incarnation).toBe(1);
        expect(connector.counters['sockets-closed'] ?? 0).toBe(0);
      }
      expect(snapshot.threads.every((thread) => thread.lostWakeUps === 0)).toBe(true);

      const arm: GuardMessage = { type: 'set-engine-state', state: 'ARMED', reason: 'test ends' };
      const leave: PositionMessage = { type: 'exit-pair', reason: 'MANUAL' };
      system.tell('guard', arm);
      for (const base of config.symbols) system.tell(`position/${base}`, leave);
      const books = async (): Promise<
        readonly (readonly [
          string,
          NonNullable<ReturnType<Awaited<ReturnType<typeof accounts.oracle>>['accounts']['get']>>,
        ])[]
      > =>
        await Promise.all(
          VENUES.map(async (venue) => {
            const account = (await accounts.oracle(venue)).accounts.get('main');
            if (account === undefined) throw new Error(`${venue} must have an account`);
            return [venue, account] as const;
          }),
        );
      await until(async () => (await books()).every(([, account]) => account.positions.size === 0));
      const payments = async (): Promise<number> =>
        (await books()).reduce((sum, [, account]) => sum + account.fundingPayments.length, 0);
      await until(
        async () => readJournal(dataDir).filter((row) => row.type === 'funding').length >= (await payments()),
      );
      const final = await books();
      expectBooksExact((await running.summary())?.identities);
      expect(await running.stop()).toBe(true);
      engine = undefined;
      expectRowsExact(readJournal(dataDir));
      for (const [venue, account] of final) expectLedgerEqualsOracle(readJournal(dataDir), venue, 'main', account);
    },
  );
});
