import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { VENUE_NAMES } from '../../config/venue-names.ts';
import { loadConfig } from '../../config/load.ts';
import { initFiles } from '../../src/cli/init-config.ts';
import type { InitAnswers } from '../../src/cli/init-config.ts';
import { hostsOf } from '../../src/venues/hosts.ts';
import { runTandem } from './run-tandem.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'tandem-init-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

const ANSWERS: InitAnswers = {
  mode: 'paper',
  venues: VENUE_NAMES,
  symbols: ['BTC', 'ETH'],
  maxNotional: 250,
  dailyLoss: 25,
  options: {},
};

/** Loads what would be written. */
function configOf(answers: InitAnswers): ReturnType<typeof loadConfig> {
  const file = join(folder(), 'c.yaml');
  writeFileSync(file, initFiles(answers, 'c.yaml')[0]?.text ?? '');
  return loadConfig(file);
}

describe('what is written', () => {
  it.each(['paper', 'live'] as const)(
    'is a configuration that holds what was answered, with every venue there is: %s',
    (mode) => {
      const config = configOf({ ...ANSWERS, mode });
      expect(Object.keys(config.venues).sort()).toEqual([...VENUE_NAMES].sort());
      expect(config.venuePairs).toHaveLength((VENUE_NAMES.length * (VENUE_NAMES.length - 1)) / 2);
      expect([config.mode, config.symbols]).toEqual([mode === 'live' ? 'live' : 'simulated', ['BTC', 'ETH']]);
      expect([config.sizing.maxNotional, config.risk.dailyLoss, config.resumeTrading]).toEqual([
        250,
        25,
        mode === 'paper',
      ]);
    },
  );

  it('names, for a live account, all that its venue must be told: options in the configuration, secrets in the key file alone', () => {
    const options = { lighter: { accountIndex: '12', apiKeyIndex: '7' }, hyperliquid: { address: '0x12' } };
    const [main, ...keys] = initFiles({ ...ANSWERS, mode: 'live', options }, 'c.yaml');
    expect(keys.map(({ path, isSecret }) => [path, isSecret])).toEqual(
      VENUE_NAMES.map((venue) => [`keys/${venue}-main.yaml`, true]),
    );
    for (const [at, venue] of VENUE_NAMES.entries()) {
      const secrets = hostsOf(venue).account.filter(({ kind }) => kind === 'secret');
      expect(Object.keys(parse(keys[at]?.text ?? '') as object)).toEqual(secrets.map(({ name }) => name));
    }
    expect(main?.text).toContain('accountIndex: 12');
    expect(main?.text).toContain('address: "0x12"');
    expect(main?.text).not.toContain('privateKey');
  });
});

describe('tandem init', () => {
  it('writes a file that starts, private key files, and says what comes next', async () => {
    const place = folder();
    const file = join(place, 'mine.yaml');
    const words = ['init', file, '--mode', 'live', '--venues', 'lighter,bybit', '--option', 'lighter.accountIndex=12'];
    const { code, stdout, stderr } = await runTandem(words);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`npx tandem doctor --config ${file}`);
    expect(readFileSync(file, 'utf8')).toContain('accountIndex: 12');
    expect(statSync(join(place, 'keys')).mode & 0o777).toBe(0o700);
    expect(statSync(join(place, 'keys', 'bybit-main.yaml')).mode & 0o777).toBe(0o600);
  });

  it('overwrites nothing, and writes nothing then', async () => {
    const place = folder();
    writeFileSync(join(place, 'mine.yaml'), 'mine');
    const { code, stderr } = await runTandem(['init', join(place, 'mine.yaml')]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('must not exist yet')]);
    expect(readFileSync(join(place, 'mine.yaml'), 'utf8')).toBe('mine');
  });

  it.each([
    ['--venues lighter', 'venues must be two or more different ones, was "lighter"'],
    ['--venues lighter,binance', 'venues must be names of lighter'],
    ['--symbols BTC/USD', 'symbols must be underlyings like BTC'],
    ['--max-notional -5', 'max-notional must be a positive amount, was "-5"'],
    ['--mode live --option lighter.privateKey=abc', 'option must be venue.name=value'],
    ['--symbols NOSUCHCOIN', 'NOSUCHCOIN'],
  ])('refuses %s and leaves nothing behind', async (words, complaint) => {
    const file = join(folder(), 'mine.yaml');
    const { code, stderr } = await runTandem(['init', file, ...words.split(' ')]);
    expect(code).toBe(2);
    expect(stderr).toContain(complaint);
    expect(stderr).not.toContain('abc');
    expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined();
  });
});
