/** `tandem init`: asks a few questions and writes a configuration that explains itself. Main thread only. */
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Interface } from 'node:readline/promises';
import { Argument, Option } from 'commander';
import type { Command } from 'commander';
import { VENUE_NAMES } from '../../config/venue-names.ts';
import type { VenueName } from '../../config/venue-names.ts';
import { hostsOf } from '../venues/hosts.ts';
import { CommandFailure, EXIT } from './command-failure.ts';
import { loadConfigOrFail } from './config-file.ts';
import { initFiles } from './init-config.ts';
import type { InitAnswers, InitFile } from './init-config.ts';

interface InitOptions {
  readonly mode?: string;
  readonly venues?: string;
  readonly symbols?: string;
  readonly maxNotional?: string;
  readonly dailyLoss?: string;
  readonly option: readonly string[];
}

const DEFAULTS = { mode: 'paper', venues: 'lighter,extended', symbols: 'BTC,ETH', maxNotional: '250', dailyLoss: '25' };

export function register(program: Command): void {
  program
    .command('init')
    .description(
      'ask a few questions and write a configuration with comments; without a terminal, what is not said is as shown',
    )
    .addArgument(new Argument('[file]', 'where to write it').default('tandem.yaml'))
    .addOption(
      new Option('--mode <mode>', 'paper: simulated venues, play money; live: real money').choices(['paper', 'live']),
    )
    .option('--venues <names>', `two or more of ${VENUE_NAMES.join(', ')} (${DEFAULTS.venues})`)
    .option('--symbols <bases>', `underlyings (${DEFAULTS.symbols})`)
    .option('--max-notional <quote>', `most notional of one leg (${DEFAULTS.maxNotional})`)
    .option('--daily-loss <quote>', `loss of a day that halts everything (${DEFAULTS.dailyLoss})`)
    .option(
      '--option <venue.name=value>',
      'a value of a live account, for example lighter.accountIndex=12',
      collect,
      [],
    )
    .action(init);
}

async function init(file: string, options: InitOptions): Promise<void> {
  const target = resolve(file);
  const isAsking = process.stdin.isTTY && process.stderr.isTTY;
  const terminal = isAsking ? createInterface({ input: process.stdin, output: process.stderr }) : undefined;
  try {
    const answers = await readAnswers(options, terminal);
    const files = initFiles(answers, basename(target));
    // Nothing is written when one of them is in the way.
    for (const { path } of files) {
      const taken = join(dirname(target), path);
      if (existsSync(taken)) throw new CommandFailure(`${taken} must not exist yet: nothing is overwritten`);
    }
    for (const one of files) write(dirname(target), one);
    try {
      await loadConfigOrFail(target, {});
    } catch (error) {
      for (const { path } of files) rmSync(join(dirname(target), path));
      throw error;
    }
    process.stdout.write(`${nextSteps(target, files, answers).join('\n')}\n`);
  } finally {
    terminal?.close();
  }
}

/** Asks for what the command line does not say; without a terminal it is the default. */
async function readAnswers(options: InitOptions, terminal: Interface | undefined): Promise<InitAnswers> {
  const answer = async (given: string | undefined, question: string, fallback: string): Promise<string> => {
    if (given !== undefined) return given;
    if (terminal === undefined) return fallback;
    const said = (await terminal.question(`${question} [${fallback}] `)).trim();
    return said === '' ? fallback : said;
  };
  const mode = await answer(
    options.mode,
    'Play money on simulated venues, or real money? paper or live',
    DEFAULTS.mode,
  );
  if (mode !== 'paper' && mode !== 'live') throw usage('mode', 'paper or live', mode);
  const venues = readVenues(await answer(options.venues, `Venues, of ${VENUE_NAMES.join(', ')}`, DEFAULTS.venues));
  const symbols = readSymbols(await answer(options.symbols, 'Symbols', DEFAULTS.symbols));
  const maxNotional = await answer(options.maxNotional, 'Most notional of one leg, quote', DEFAULTS.maxNotional);
  const dailyLoss = await answer(options.dailyLoss, 'Loss of a day that halts everything, quote', DEFAULTS.dailyLoss);
  const given = readOptions(options.option, venues);
  const accounts: Partial<Record<VenueName, Record<string, string>>> = {};
  for (const venue of mode === 'live' ? venues : []) {
    const own: Record<string, string> = {};
    for (const { name, kind, about } of hostsOf(venue).account) {
      if (kind === 'option') own[name] = await answer(given.get(`${venue}.${name}`), `${venue}: ${name}, ${about}`, '');
    }
    accounts[venue] = own;
  }
  return {
    mode,
    venues,
    symbols,
    maxNotional: readAmount('max-notional', maxNotional),
    dailyLoss: readAmount('daily-loss', dailyLoss),
    options: accounts,
  };
}

function write(folder: string, { path, text, isSecret }: InitFile): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true, mode: isSecret ? 0o700 : 0o755 });
  // A folder that was there before may be open to others.
  if (isSecret) chmodSync(dirname(file), 0o700);
  writeFileSync(file, text, { flag: 'wx', mode: isSecret ? 0o600 : 0o644 });
}

function nextSteps(target: string, files: readonly InitFile[], { mode }: InitAnswers): readonly string[] {
  const keys = files.filter(({ isSecret }) => isSecret).map(({ path }) => join(dirname(target), path));
  return [
    `wrote ${target}`,
    ...keys.map((path) => `wrote ${path}: fill in its keys`),
    ...(mode === 'live' ? [`then: npx tandem doctor --config ${target}`] : []),
    `start: npx tandem start --config ${target}`,
  ];
}

function readVenues(text: string): readonly VenueName[] {
  const venues = listOf(text).map((name) => VENUE_NAMES.find((known) => known === name) ?? name);
  const unknown = venues.find((name) => !isVenue(name));
  if (unknown !== undefined) throw usage('venues', `names of ${VENUE_NAMES.join(', ')}`, unknown);
  const known = [...new Set(venues.filter(isVenue))];
  if (known.length < 2) throw usage('venues', 'two or more different ones', text);
  return known;
}

function isVenue(name: string): name is VenueName {
  return VENUE_NAMES.some((known) => known === name);
}

function readSymbols(text: string): readonly string[] {
  const symbols = [...new Set(listOf(text).map((symbol) => symbol.toUpperCase()))];
  const bad = symbols.find((symbol) => !/^[A-Z0-9]{1,20}$/.test(symbol));
  if (bad !== undefined || symbols.length === 0)
    throw usage('symbols', 'underlyings like BTC, separated by commas', bad ?? text);
  return symbols;
}

function readOptions(given: readonly string[], venues: readonly VenueName[]): ReadonlyMap<string, string> {
  return new Map(
    given.map((text) => {
      const [, venue = '', name = '', value = ''] = /^([a-z]+)\.([A-Za-z]+)=(.*)$/.exec(text) ?? [];
      const isKnown =
        venues.some((one) => one === venue) &&
        hostsOf(venue).account.some((field) => field.name === name && field.kind === 'option');
      if (!isKnown)
        throw usage(
          'option',
          'venue.name=value of a chosen venue (secrets belong in the key file)',
          text.split('=')[0] ?? '',
        );
      return [`${venue}.${name}`, value];
    }),
  );
}

function readAmount(name: string, text: string): number {
  const amount = /^\d{1,9}(?:\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(amount > 0)) throw usage(name, 'a positive amount', text);
  return amount;
}

function listOf(text: string): readonly string[] {
  return text
    .split(/[,\s]+/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function usage(name: string, rule: string, value: string): CommandFailure {
  return new CommandFailure(`${name} must be ${rule}, was "${value}"`, EXIT.usage);
}

function collect(value: string, known: readonly string[]): readonly string[] {
  return [...known, value];
}
