/** Starts that cannot be, and what arrives malformed at one that can: each says what is wrong, and where. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { startEngine } from '../../src/composition/live/engine.ts';
import type { Engine } from '../../src/composition/live/engine.ts';
import type { ActorSnapshot } from '../../src/runtime/snapshot.ts';
import { expectBooksExact } from './identities-check.ts';
import { CONFIG, configWith, StartedEngine, temporaryFolder } from './started-engine.ts';

function lineOf(file: string, text: string): number {
  return (
    readFileSync(file, 'utf8')
      .split('\n')
      .findIndex((line) => line.includes(text)) + 1
  );
}

describe('a start that cannot be', { timeout: 120_000 }, () => {
  it('names the data directory that is no folder', async () => {
    const file = join(temporaryFolder(), 'taken');
    writeFileSync(file, '');
    const refused = new StartedEngine(file);
    expect(await refused.ended()).toBe(1);
    expect(refused.complaints).toContain(`dataDir must be a folder this user can write to, was "${file}": EEXIST`);
  });

  it('names the simulated venue whose port is taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void taken.close());
    // Listening on a TCP port: the address is never a pipe's text.
    const { port } = taken.address() as AddressInfo;
    const refused = new StartedEngine(temporaryFolder(), configWith('  lighter:', `  lighter:\n    port: ${port}`));
    expect(await refused.ended()).toBe(1);
    expect(refused.complaints).toContain(`the simulated venue lighter cannot listen on 127.0.0.1 port ${port}: `);
    expect(refused.complaints).toContain('EADDRINUSE');
  });

  it.concurrent.each(['SIGTERM', 'SIGHUP'] as const)('drains at %s as at Ctrl-C', async (signal) => {
    const engine = new StartedEngine(temporaryFolder());
    await engine.printed(/^READY /);
    expect(await engine.interrupt(signal)).toBe(0);
    expect(engine.output).toContain('stopped: no open order, journal consistent');
  });
});

describe('a configuration that cannot run', { timeout: 120_000 }, () => {
  it.each([
    ['an unknown key', 'resumeTrading: true', 'resumeTradnig: true', '1: resumeTradnig must not be there', 'true'],
    ['a wrong type', '  scanMs: 50', '  scanMs: often', '3: poll.scanMs must be a number', '"often"'],
    ['a repeated symbol', 'symbols: [BTC, ETH]', 'symbols: [BTC, BTC]', '16: symbols[1] must not repeat', '"BTC"'],
  ])('stops the start for %s: exit code 2, with place, rule and value', async (_, line, replacement, rule, value) => {
    const file = configWith(line, replacement);
    const dataDir = join(temporaryFolder(), 'never-made');
    const refused = new StartedEngine(dataDir, file);
    expect(await refused.ended()).toBe(2);
    expect(refused.output).toBe('');
    const [complaint] = refused.complaints.split('\n');
    expect(complaint).toContain(`${file}:${lineOf(file, replacement)}:${rule}`);
    expect(complaint).toMatch(new RegExp(`, was ${value}$`));
    expect(statSync(dataDir, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('stops the start for settings that are impossible together, pointing at each', async () => {
    const file = configWith('mode: simulated', 'mode: live');
    const refused = new StartedEngine(join(temporaryFolder(), 'never-made'), file);
    expect(await refused.ended()).toBe(2);
    expect(refused.complaints).toContain(`${file}:5:5: venues.lighter.kind must be "live" because mode is "live"`);
    expect(refused.complaints).toContain(`${file}:22:3: calendar.scale must be 1 when mode is "live", was 1000`);
  });
});

describe('a recorded tape with a malformed row', { timeout: 120_000 }, () => {
  it('stops the start with exit code 1, naming file, line, rule and value', async () => {
    const folder = temporaryFolder();
    const [fundingFile, candlesFile] = [join(folder, 'funding.csv'), join(folder, 'candles.csv')];
    const startMs = Date.parse('2026-01-05T00:00:00Z');
    const hours = Array.from({ length: 25 }, (_, hour) => startMs + hour * 3_600_000);
    const rates = hours.map((atMs) => `lighter,BTC,BTC,${atMs},0.00001,1,,,test`);
    rates[2] = `lighter,BTC,BTC,${hours[2]},lots,1,,,test`;
    const header = 'venue,base,venue_symbol,settle_ms,rate,interval_h,mark_price,premium,source';
    writeFileSync(fundingFile, `${[header, ...rates].join('\n')}\n`);
    const candles = hours.map((atMs) => `BTC,BTC,${atMs},100,110,90,100,1,test`);
    writeFileSync(
      candlesFile,
      `${['base,venue_symbol,open_ms,open,high,low,close,volume,source', ...candles].join('\n')}\n`,
    );
    const series = `{ series: lighter, fundingFile: ${fundingFile}, candlesFiles: [${candlesFile}] }`;
    const text = readFileSync(CONFIG, 'utf8')
      .replace('symbols: [BTC, ETH]', 'symbols: [BTC]')
      .replace('scale: 1000', 'scale: 1000\n  startAt: 2026-01-05T01:00:00Z')
      .replace(
        /tape:\n(?: .*\n)+/,
        `tape:\n  kind: recorded\n  from: 2026-01-05T00:00:00Z\n  to: 2026-01-06T00:00:00Z\n  venues:\n    lighter: ${series}\n    extended: ${series}\n`,
      );
    const config = join(folder, 'recorded.yaml');
    writeFileSync(config, text);
    const refused = new StartedEngine(temporaryFolder(), config);
    expect(await refused.ended()).toBe(1);
    expect(refused.output).toBe('');
    expect(refused.complaints).toContain(
      `tandem cannot start with ${config}: ${fundingFile} line 4 column rate must be`,
    );
    expect(refused.complaints).toContain('was "lots"');
  });
});

describe('a malformed venue frame', { timeout: 120_000 }, () => {
  let engine: Engine | undefined;
  afterEach(async () => {
    await engine?.stop();
    engine = undefined;
  });

  it('is counted, and neither crashes the connector nor trades', async () => {
    const config = loadConfig(CONFIG, { dataDir: temporaryFolder(), control: { port: 0 } });
    const running = await startEngine(config, { log: () => undefined, onUnkillable: () => undefined });
    engine = running;
    const until = async (condition: () => Promise<boolean>): Promise<void> => {
      while (!(await condition())) await sleep(20);
    };
    const connectors = async (): Promise<readonly ActorSnapshot[]> =>
      (await running.system.snapshot()).actors.filter((actor) => actor.kind === 'connector');
    const orders = async (): Promise<number> => {
      const books = await Promise.all(
        (['lighter', 'extended'] as const).map((venue) => running.accounts.oracle(venue)),
      );
      return books.reduce((sum, book) => sum + (book.accounts.get('main')?.orders.length ?? 0), 0);
    };
    // Both pairs are open and nothing is left to do: an order from here on would be the frames' doing.
    await until(async () => {
      const pairs = (await running.summary())?.pairs ?? [];
      return pairs.length === 2 && pairs.every((pair) => pair.phase === 'OPEN' && pair.liveOrders === 0);
    });
    const before = await orders();

    running.accounts.inject('lighter', 'malformed-frame');
    running.accounts.inject('extended', 'unknown-frame', { kind: 'orderbooks' });
    await until(async () => (await connectors()).every((actor) => (actor.counters['malformed-frames'] ?? 0) >= 1));
    await until(async () => (await running.readiness()).ready);

    expect((await connectors()).map(({ status, incarnation, restarts }) => [status, incarnation, restarts])).toEqual([
      ['running', 1, 0],
      ['running', 1, 0],
    ]);
    expect(await orders()).toBe(before);
    expectBooksExact((await running.summary())?.identities);
  });
});
