/** Writes a first configuration from a few answers: every line it contains is explained in it. Pure; main thread. */
import type { VenueName } from '../../config/venue-names.ts';
import { hostsOf } from '../venues/hosts.ts';
import type { AccountField } from '../venues/hosts.ts';

/** What a person was asked. */
export interface InitAnswers {
  readonly mode: 'paper' | 'live';
  /** Two or more, in the order they were named. */
  readonly venues: readonly VenueName[];
  /** Canonical, for example BTC. */
  readonly symbols: readonly string[];
  /** Most notional of one leg, quote. */
  readonly maxNotional: number;
  /** Loss of a day at which everything is closed, quote. */
  readonly dailyLoss: number;
  /** Live accounts only: options by venue and name, as they were typed. */
  readonly options: Readonly<Partial<Record<VenueName, Readonly<Record<string, string>>>>>;
}

export interface InitFile {
  /** Relative to the configuration's folder. */
  readonly path: string;
  readonly text: string;
  /** Key files are for their owner alone. */
  readonly isSecret: boolean;
}

/** Fitted funding series that move simulated venues, by what knows the most symbols: Lighter's own knows only a few. */
const SERIES: Readonly<Partial<Record<VenueName, string>>> = { lighter: 'binance', bybit: 'bybit' };

/** Returns the configuration and, for live accounts, one key file each, to be filled in by its owner. */
export function initFiles(answers: InitAnswers, configPath: string): readonly InitFile[] {
  const keys = answers.mode === 'paper' ? [] : answers.venues.map((venue) => keyFile(venue));
  return [{ path: configPath, text: configText(answers), isSecret: false }, ...keys];
}

function configText(answers: InitAnswers): string {
  const { mode, venues, symbols, maxNotional, dailyLoss } = answers;
  return [
    ...(mode === 'live' ? LIVE_HEAD : PAPER_HEAD),
    '',
    `mode: ${mode === 'live' ? 'live' : 'simulated'}`,
    '',
    'venues:',
    ...venues.flatMap((venue) => (mode === 'live' ? liveVenue(venue, answers) : simulatedVenue(venue))),
    '',
    '# Accounts that may hold the two legs of a pair: every two of the above.',
    'venuePairs:',
    ...pairsOf(venues).map(([one, other]) => `  - [${one}:main, ${other}:main]`),
    '',
    '# Underlyings to look at; where a venue does not list one, it is left out there.',
    `symbols: [${symbols.join(', ')}]`,
    ...(mode === 'live' ? [] : tapeLines(venues)),
    '',
    ...(mode === 'live'
      ? [
          '# After a start the engine is ARMED: it manages what it finds and opens nothing until you say',
          '# `npx tandem engine TRADING --reason "..."`. True lets it trade at once.',
          'resumeTrading: false',
        ]
      : ['# Trades as soon as everything is compared with the venues.', 'resumeTrading: true']),
    '',
    'sizing:',
    '  # Most notional of one leg, quote. A pair is twice this.',
    `  maxNotional: ${maxNotional}`,
    '',
    'risk:',
    '  # Loss of a day, quote, at which every pair is closed and the engine halts until a person has looked.',
    `  dailyLoss: ${dailyLoss}`,
    '  # Loss from the highest equity so far, quote, with the same consequence.',
    `  maxDrawdown: ${dailyLoss * 2}`,
    '  # Notional of one pair (the larger leg), of one symbol, at one venue, of one order and of everything, quote.',
    `  maxPairNotional: ${maxNotional}`,
    `  maxOrderNotional: ${maxNotional}`,
    `  maxSymbolNotional: ${maxNotional * 2}`,
    `  maxVenueNotional: ${maxNotional * Math.min(symbols.length, MAX_PAIRS)}`,
    `  maxTotalNotional: ${maxNotional * 2 * Math.min(symbols.length, MAX_PAIRS)}`,
    `  maxPairs: ${Math.min(symbols.length, MAX_PAIRS)}`,
    '',
    '# Everything not said here is as in config/default.yaml, where each setting is explained.',
    '',
  ].join('\n');
}

const MAX_PAIRS = 5;

const LIVE_HEAD = [
  '# Trades real money. Read every line before you start it with `npx tandem start --config <this file>`, and run',
  '# `npx tandem doctor --config <this file>` first.',
  '#',
  '# A venue can lose what is on the account. Use sub-accounts that hold only what this engine may use, and keys that',
  '# cannot withdraw.',
];
const PAPER_HEAD = [
  '# Play money at real speed on simulated venues of this machine: nothing leaves it. Start it with',
  '# `npx tandem start --config <this file>`. Calm funding opens nothing for hours; that is the truth.',
];

function liveVenue(venue: VenueName, { options }: InitAnswers): readonly string[] {
  const fields = hostsOf(venue).account.filter(({ kind }) => kind === 'option');
  return [
    `  ${venue}:`,
    '    kind: live',
    '    accounts:',
    '      - name: main',
    '        # Mode 0600, in a folder of mode 0700, owned by the user who runs the engine. No key ever stands in this file.',
    `        keyFile: ${keyPath(venue)}`,
    ...(fields.length === 0 ? [] : ['        options:']),
    ...fields.flatMap((field) => [
      `          # ${field.about}`,
      `          ${field.name}: ${optionText(options[venue]?.[field.name] ?? '')}`,
    ]),
  ];
}

/** What is no whole number is text, also where YAML would read something else. */
function optionText(value: string): string {
  return /^\d{1,15}$/.test(value) ? value : JSON.stringify(value);
}

function simulatedVenue(venue: VenueName): readonly string[] {
  return [`  ${venue}:`, '    kind: simulated', '    accounts:', '      - name: main', '        balance: 10000'];
}

function tapeLines(venues: readonly VenueName[]): readonly string[] {
  return [
    '',
    '# What moves the simulated venues: a generator fitted to recorded markets. Same seed, same market.',
    'tape:',
    '  kind: generated',
    '  seed: 1',
    '  venues:',
    ...venues.map((venue) => `    ${venue}: { series: ${SERIES[venue] ?? 'hyperliquid'} }`),
  ];
}

function keyPath(venue: VenueName): string {
  return `keys/${venue}-main.yaml`;
}

function keyFile(venue: VenueName): InitFile {
  const fields = hostsOf(venue).account.filter(({ kind }) => kind === 'secret');
  const lines = fields.flatMap(({ name, about }: AccountField) => [`# ${about}`, `${name}: ''`]);
  return {
    path: keyPath(venue),
    text: [`# ${venue}, account main. Fill in; nobody but you may read this file.`, ...lines, ''].join('\n'),
    isSecret: true,
  };
}

function pairsOf(venues: readonly VenueName[]): readonly (readonly [VenueName, VenueName])[] {
  return venues.flatMap((one, at) => venues.slice(at + 1).map((other) => [one, other] as const));
}
