import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { ConfigError } from '../../config/config-error.ts';
import { loadConfig } from '../../config/load.ts';
import type { ConfigOverrides } from '../../config/schema.ts';
import { configFile, MINIMAL } from './files.ts';

const CONFIG = join(import.meta.dirname, '..', '..', 'config');

/** Loads and returns the issues as `line:column setting rule, was value`. */
function complaints(text: string, overrides?: ConfigOverrides): readonly string[] {
  const file = configFile(text);
  try {
    loadConfig(file, overrides);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n').map((line) => line.replace(`${file}:`, ''));
  }
}

describe('a configuration that can run', () => {
  it('fills everything that is not said with defaults', () => {
    const config = loadConfig(configFile(MINIMAL));
    expect(config.entry.minApr).toBe(20);
    expect(config.control).toEqual({ host: '127.0.0.1', port: 7070, allowRemote: false });
    expect(config.calendar).toEqual({ scale: 1, startAt: 'now' });
    expect(config.venuePairs).toEqual([
      [
        { venue: 'lighter', account: 'main' },
        { venue: 'extended', account: 'main' },
      ],
    ]);
  });

  it('merges maps key by key and replaces lists', () => {
    const config = loadConfig(configFile(`${MINIMAL}entry:\n  minApr: 35\nlog: { level: debug }\n`), {
      symbols: ['ETH', 'SOL'],
    });
    expect(config.entry.minApr).toBe(35);
    expect(config.entry.horizonH).toBe(48);
    expect(config.log.level).toBe('debug');
    expect(config.symbols).toEqual(['ETH', 'SOL']);
  });

  it('lets the command line overrule the file, and leaves unset overrides alone', () => {
    const config = loadConfig(configFile(`${MINIMAL}control: { port: 9000 }\n`), {
      control: { port: 0 },
      dataDir: '/tmp/elsewhere',
    });
    expect(config.control.port).toBe(0);
    expect(config.control.host).toBe('127.0.0.1');
    expect(config.dataDir).toBe('/tmp/elsewhere');
  });

  it('is frozen to its last value', () => {
    const config = loadConfig(configFile(MINIMAL));
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      expect(Object.isFrozen(value)).toBe(true);
      Object.values(value).forEach(visit);
    };
    visit(config);
  });

  it('reads instants of a recorded tape as epoch ms', () => {
    const recorded = MINIMAL.slice(0, MINIMAL.indexOf('tape:')).concat(`tape:
  kind: recorded
  from: 2026-01-01T00:00:00Z
  to: 2026-02-01T00:00:00Z
  venues:
    lighter: { series: lighter, fundingFile: f.csv, candlesFiles: [c.csv] }
    extended: { series: hyperliquid, fundingFile: f.csv, candlesFiles: [c.csv] }
calendar: { startAt: 2026-01-02T00:00:00Z }
`);
    const config = loadConfig(configFile(recorded));
    expect(config.calendar.startAt).toBe(Date.UTC(2026, 0, 2));
    expect(config.tape).toMatchObject({ kind: 'recorded', from: Date.UTC(2026, 0, 1), to: Date.UTC(2026, 1, 1) });
  });

  it('takes rows of another venue for symbols that are traded, each once', () => {
    const recorded = (bases: string): string =>
      MINIMAL.slice(0, MINIMAL.indexOf('tape:')).concat(`tape:
  kind: recorded
  from: 2026-01-01T00:00:00Z
  to: 2026-02-01T00:00:00Z
  venues:
    lighter:
      { series: lighter, fundingFile: f.csv, candlesFiles: [c.csv], except: [{ bases: [${bases}], series: okx, fundingFile: o.csv, candlesFiles: [c.csv] }] }
    extended: { series: hyperliquid, fundingFile: f.csv, candlesFiles: [c.csv] }
calendar: { startAt: 2026-01-02T00:00:00Z }
`);
    const config = loadConfig(configFile(recorded('BTC')));
    expect(config.tape?.venues).toMatchObject({
      lighter: { except: [{ bases: ['BTC'], series: 'okx' }] },
      extended: { except: [] },
    });
    expect(complaints(recorded('BTC, ETH, BTC'))).toEqual([
      expect.stringContaining('tape.venues.lighter.except[0].bases[1] must be one of symbols (BTC), was "ETH"'),
      expect.stringContaining('tape.venues.lighter.except[0].bases[2] must not be excepted twice, was "BTC"'),
    ]);
  });

  const shipped = readdirSync(CONFIG).filter((name) => name.endsWith('.yaml') && name !== 'default.yaml');
  test.each(shipped)('%s as shipped can run', (name) => {
    expect(loadConfig(join(CONFIG, name)).symbols.length).toBeGreaterThan(0);
  });
});

describe('a configuration that must not run', () => {
  const cases: readonly (readonly [name: string, extra: string, complaint: string])[] = [
    ['an unknown key', 'entri: { minApr: 3 }\n', '15:1: entri must not be there: no such setting, was {"minApr":3}'],
    [
      'an unknown nested key',
      'entry:\n  minApr: 20\n  minAprr: 3\n',
      '17:3: entry.minAprr must not be there: no such setting, was 3',
    ],
    [
      'a key called __proto__',
      '__proto__: { polluted: 1 }\n',
      '15:1: __proto__ must not be there: no such setting, was {"polluted":1}',
    ],
    ['a wrong type', 'entry:\n  minApr: twenty\n', '16:3: entry.minApr must be a number, was "twenty"'],
    ['a number written as text', "entry: { minApr: '20' }\n", '15:10: entry.minApr must be a number, was "20"'],
    ['not a number', 'entry: { minApr: .nan }\n', '15:10: entry.minApr must be a number, was NaN'],
    ['infinity', 'entry: { minApr: .inf }\n', '15:10: entry.minApr must be a number, was Infinity'],
    ['null', 'entry: { minApr: }\n', '15:10: entry.minApr must be a number, was null'],
    [
      'a fraction where a count is meant',
      'workers: { io: 1.5 }\n',
      '15:12: workers.io must be a whole number, was 1.5',
    ],
    ['fewer than no workers', 'workers: { io: -1 }\n', '15:12: workers.io must be at least 0, was -1'],
    ['a value above its range', 'risk:\n  maxLeverage: 50\n', '16:3: risk.maxLeverage must be at most 3, was 50'],
    [
      'money finer than a micro-unit',
      'entry: { minEv: 0.1234567 }\n',
      '15:10: entry.minEv must have at most 6 fraction digits, was 0.1234567',
    ],
    [
      'a map where a number belongs',
      'entry: { minApr: { a: 1 } }\n',
      '15:10: entry.minApr must be a number, was {"a":1}',
    ],
    ['a number where a map belongs', 'entry: 5\n', '15:1: entry must be a map of settings, was 5'],
    [
      'a word that is no choice',
      'log: { level: loud }\n',
      '15:8: log.level must be "debug" or "info" or "warn" or "error", was "loud"',
    ],
    [
      'an instant without a zone',
      'calendar: { startAt: 2026-01-01 }\n',
      '15:13: calendar.startAt must be "now" or a UTC instant, for example 2026-01-15T00:00:00Z, was "2026-01-01"',
    ],
    ['a repeated key', 'dataDir: a\ndataDir: b\n', '16:1: must not repeat the key "dataDir"'],
    [
      'broken YAML',
      'entry: { minApr: 3\n',
      '16:1: must be valid YAML: Flow map in block collection must be sufficiently indented and end with a }',
    ],
    [
      'minimum hold beyond maximum hold',
      'exit: { minHoldH: 300 }\n',
      '15:9: exit.minHoldH must be at most exit.maxHoldH (240), was 300',
    ],
    [
      'a symbol limit above the total',
      'risk:\n  maxSymbolNotional: 60000\n',
      '16:3: risk.maxSymbolNotional must be at most risk.maxTotalNotional (50000), was 60000',
    ],
  ];
  it.each(cases)('is refused for %s, at its place', (_name, extra, complaint) => {
    expect(complaints(MINIMAL + extra)).toEqual([complaint]);
  });

  const replaced: readonly (readonly [name: string, from: string, to: string, complaint: string])[] = [
    [
      'an unknown venue',
      '  extended:\n    kind',
      '  binance:\n    kind',
      '6:3: venues.binance must not be there: no such setting, was {"kind":"simulated","accounts":[{"name":"main"}]}',
    ],
    [
      'an unknown kind of venue',
      'kind: simulated\n    accounts: [{ name: main }]\nvenuePairs',
      'kind: imaginary\n    accounts: [{ name: main }]\nvenuePairs',
      '7:5: venues.extended.kind must be "simulated" or "live", was "imaginary"',
    ],
    [
      'both legs on one venue',
      'extended:main]]',
      'lighter:main]]',
      '9:14: venuePairs[0] must name two different venues, was ["lighter:main","lighter:main"]',
    ],
    [
      'an account nobody configured',
      'extended:main]]',
      'extended:other]]',
      '9:29: venuePairs[0][1] must be a configured account (lighter:main, extended:main), was "extended:other"',
    ],
    [
      'a symbol no simulated venue lists',
      '[BTC]',
      '[BTC, NOPE]',
      '10:16: symbols[1] must be a market of every simulated venue (',
    ],
    [
      'a series without a fit',
      'extended: { series: hyperliquid }',
      'extended: { series: nasdaq }',
      '14:55: tape.venues.extended.series must be a fitted series (lighter, hyperliquid, bybit, binance), was "nasdaq"',
    ],
    [
      'a venue on the port of the control server',
      '  extended:\n    kind: simulated\n',
      '  extended:\n    port: 7070\n    kind: simulated\n',
      '7:5: venues.extended.port must not be that of control.port, was 7070',
    ],
    [
      'an anchor of no instant',
      'symbols: [BTC]\n',
      'symbols: [BTC]\ncalendar: { anchorAt: 2026-01-15T00:00:00Z }\n',
      '11:13: calendar.anchorAt must come with a calendar.startAt that is an instant, was ',
    ],
    [
      'a placement of nobody',
      'symbols: [BTC]\n',
      'symbols: [BTC]\nplacement: [{ paths: position/ETH, thread: trading-0 }]\n',
      '11:15: placement[0].paths must match an actor that no earlier rule has placed, was "position/ETH"',
    ],
    [
      'a placement that an earlier rule took',
      'symbols: [BTC]\n',
      'symbols: [BTC]\nplacement: [{ paths: guard, thread: trading-0 }, { paths: guar*, thread: trading-0 }]\n',
      '11:52: placement[1].paths must match an actor that no earlier rule has placed, was "guar*"',
    ],
    [
      'a placement on a thread that there is not',
      'symbols: [BTC]\n',
      'symbols: [BTC]\nplacement: [{ paths: guard, thread: trading-1 }]\n',
      '11:29: placement[0].thread must be a thread that can run guard (trading-0), was "trading-1"',
    ],
    [
      'a placement on a thread that cannot run it',
      'symbols: [BTC]\n',
      'symbols: [BTC]\nplacement: [{ paths: "connector/*", thread: trading-0 }]\n',
      '11:37: placement[0].thread must be a thread that can run connector/lighter:main (io-0), was "trading-0"',
    ],
    ['a repeated symbol', '[BTC]', '[BTC, ETH, BTC]', '10:21: symbols[2] must not repeat an earlier symbol, was "BTC"'],
    ['no symbols', '[BTC]', '[]', '10:1: symbols must have at least 1 entries, was []'],
    [
      'a live leg beside a simulated one',
      'mode: simulated\n',
      'mode: live\n',
      '4:5: venues.lighter.kind must be "live" because mode is "live": a simulated leg does not hedge a live one, was "simulated"',
    ],
    [
      'keys for a simulated venue',
      '[{ name: main }]\n  extended',
      '[{ name: main, keyFile: k }]\n  extended',
      '5:30: venues.lighter.accounts[0].keyFile must not be there: no such setting, was "k"',
    ],
    [
      'a tape that forgets a venue',
      ', extended: { series: hyperliquid }',
      '',
      '14:3: tape.venues must say what drives the simulated venue extended, was {"lighter":{"series":"lighter"}}',
    ],
  ];
  it.each(replaced)('is refused for %s, at its place', (_name, from, to, complaint) => {
    expect(MINIMAL).toContain(from);
    expect(complaints(MINIMAL.replace(from, to)).join('\n')).toContain(complaint);
  });

  it('names every mistake at once', () => {
    expect(complaints(`${MINIMAL}workers: { io: -1, cpu: many }\nfoo: 1\n`)).toHaveLength(3);
  });

  it('points at the end of the known path when a setting is missing', () => {
    const [complaint] = complaints(MINIMAL.replace('  seed: 7\n', '').replace('kind: generated', 'kind: recorded'));
    expect(complaint).toBe('13:13: tape.venues.lighter.fundingFile must be a text, was missing');
  });

  it('says that the command line is wrong when it is', () => {
    expect(complaints(MINIMAL, { control: { port: 70_000 } })).toEqual([
      'command line: control.port must be at most 65535, was 70000',
    ]);
  });

  it('does not repeat a secret that was pasted into it', () => {
    const text = MINIMAL.replace('[{ name: main }]\n  extended', '[{ name: main, privateKey: 0xabcdef }]\n  extended');
    const said = complaints(text).join('\n');
    expect(said).toContain('privateKey must not be there');
    expect(said).not.toContain('abcdef');
  });

  it('names a file that cannot be read', () => {
    expect(() => loadConfig('/nowhere/tandem.yaml')).toThrow(
      /^\/nowhere\/tandem.yaml: must be a readable file: ENOENT/,
    );
  });

  it('refuses a file that is not a map', () => {
    expect(complaints('- a\n- b\n')).toEqual(['1:1: must be a map of settings, was ["a","b"]']);
  });

  it('refuses a live mode with compressed time', () => {
    const live = configFile(
      `mode: live\nvenues: {}\ncalendar: { scale: 2 }\nsymbols: [BTC]\nvenuePairs: [[lighter:main, extended:main]]\n`,
    );
    expect(() => loadConfig(live)).toThrow('3:13: calendar.scale must be 1 when mode is "live", was 2');
  });

  it('refuses a control server open to the network unless that is said twice', () => {
    expect(complaints(`${MINIMAL}control: { host: 0.0.0.0 }\n`)).toEqual([
      '15:12: control.host must be a loopback address unless control.allowRemote is true, was "0.0.0.0"',
    ]);
    expect(complaints(`${MINIMAL}control: { host: 0.0.0.0, allowRemote: true }\n`)).toEqual([]);
  });
});

describe('the consistency of carry thresholds', () => {
  it('refuses an entry threshold that opens what closes at once, and prints both sides', () => {
    expect(
      complaints(
        `${MINIMAL}entry: { minHourly: 0.00001, roundTripCostRate: 0.0008 }\nexit: { minHoldH: 20, flipHourly: -0.000005 }\n`,
      ),
    ).toEqual([
      '15:10: entry.minHourly must be at least |exit.flipHourly| + entry.roundTripCostRate / hold = ' +
        '0.000005 + 0.0008 / 20 = 0.000045 (hold is exit.minHoldH), else pairs open that close at once, was 0.00001',
    ]);
  });

  it('accepts the exact boundary', () => {
    expect(
      complaints(
        `${MINIMAL}entry: { minHourly: 0.000045, roundTripCostRate: 0.0008 }\nexit: { minHoldH: 20, flipHourly: -0.000005 }\n`,
      ),
    ).toEqual([]);
  });

  it('takes the longest break-even time as the hold when none is set', () => {
    const [complaint] = complaints(`${MINIMAL}entry: { minHourly: 0.00001, maxBreakEvenH: 10 }\n`);
    expect(complaint).toContain('0.0008 / 10');
    expect(complaint).toContain('hold is entry.maxBreakEvenH, exit.minHoldH being 0');
  });
});

it('names files in errors as they were given', () => {
  const file = configFile('x: 1\n');
  expect(() => loadConfig(file)).toThrow(`${file}:1:1: x must not be there`);
  expect(basename(file)).toBe('test.yaml');
});
