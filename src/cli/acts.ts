/** `tandem engine`, `kill`, `exit`, `flatten`: acts of an operator on an engine, from another process. Main thread only. */
import { Argument, Option } from 'commander';
import type { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailure } from './command-failure.ts';
import { loadConfigOrFail } from './config-file.ts';
import { confirm } from './confirmation.ts';
import { addControlOptions, addressOf, askControl, EngineSilent, orderControl } from './control-client.ts';
import type { ControlOptions } from './control-client.ts';

export interface ActOptions extends ControlOptions {
  readonly reason?: string;
  readonly yes?: true;
}

interface FlattenOptions extends ActOptions {
  readonly config?: string;
}

/** What the engine's public picture says of itself. */
interface Picture {
  readonly state: string;
  readonly reason: string;
  readonly flatten: boolean;
  /** Phase by base. */
  readonly phases: ReadonlyMap<string, string>;
}

const DEFAULT_REASON = 'asked for on the command line';
export const LOOK_MS = 100;
/** An actor answers within a tick; a row it must write first takes longer on a slow disk. */
export const STATE_WAIT_MS = 5_000;
/** Twice what a flatten may take while venues answer. */
const FLAT_WAIT_MS = 20_000;
/** A pair in these phases holds nothing. */
const FLAT_PHASES: ReadonlySet<string> = new Set(['IDLE', 'CLOSED', 'FAILED']);

export function register(program: Command): void {
  act(program, 'engine', 'set what a running engine may do')
    .addArgument(
      new Argument('<state>', 'ARMED: no entries; TRADING: entries too; REDUCE_ONLY: only closing').choices([
        'ARMED',
        'TRADING',
        'REDUCE_ONLY',
      ]),
    )
    .addOption(reasonOption().makeOptionMandatory())
    .action(setEngine);
  act(
    program,
    'kill',
    'take a running engine down; it stays down, also across restarts, until a person sets it up again',
  )
    .addArgument(
      new Argument(
        '<level>',
        '1: reduce only; 2: no entries, open ones cancelled; 3: close all pairs; 4: cancel everything at the venues and end',
      ).choices(['1', '2', '3', '4']),
    )
    .addOption(reasonOption().default(DEFAULT_REASON))
    .action(async (level: string, options: ActOptions) => kill(Number(level), options));
  act(program, 'exit', 'close the pair of one symbol').argument('<symbol>', 'for example BTC').action(exitPair);
  act(program, 'flatten', 'close all pairs and halt (kill level 3), also without an engine: see --config')
    .addOption(reasonOption().default(DEFAULT_REASON))
    .option('--config <file>', "the engine's configuration; with it, one that is dead or hangs is ended and replaced")
    .action(flatten);
}

/** Adds a command that changes something. */
export function act(program: Command, name: string, description: string): Command {
  return addControlOptions(program.command(name).description(description)).option('--yes', 'do not ask');
}

export function reasonOption(): Option {
  return new Option('--reason <text>', 'why, for the journal and the log');
}

async function setEngine(state: string, options: ActOptions): Promise<void> {
  if (state === 'TRADING') await confirm('lets the engine open positions', options.yes === true);
  await order(options, '/control/engine', { state, reason: options.reason });
  await untilState(options, state, (picture) => picture.state === state && !picture.flatten);
}

async function kill(level: number, options: ActOptions): Promise<void> {
  if (level === 3) await confirm('closes all pairs at the market', options.yes === true);
  if (level === 4) await confirm('cancels every order and ends the engine, positions stay', options.yes === true);
  await order(options, '/control/kill', { level, reason: options.reason });
  if (level === 4) {
    await untilGone(options);
    return;
  }
  if (level < 3) {
    await untilState(options, 'REDUCE_ONLY', ({ state }) => state === 'REDUCE_ONLY' || state === 'HALTED');
    return;
  }
  await untilState(options, 'HALTED', ({ state, flatten }) => state === 'HALTED' && flatten);
  const left = await untilFlat(options, undefined);
  if (left.length > 0)
    throw new CommandFailure(
      `not flat after ${FLAT_WAIT_MS / 1_000} s: ${left.join(', ')}; the engine goes on closing, watch "tandem actors"`,
    );
  say(options, { flat: true }, 'flat: no pair is open');
}

/** The engine leaves by itself: it is gone once it does not answer any more. */
async function untilGone(options: ActOptions): Promise<void> {
  const endMs = performance.now() + FLAT_WAIT_MS;
  while (performance.now() < endMs) {
    try {
      await look(options);
    } catch (error) {
      if (!(error instanceof EngineSilent)) throw error;
      say(options, { gone: true }, 'the engine is gone; its last line and its log say what is left at the venues');
      return;
    }
    await sleep(LOOK_MS);
  }
  throw new CommandFailure(`the engine must be gone within ${FLAT_WAIT_MS / 1_000} s, it still answers`);
}

/** Asks the running engine; where none answers, does it without. */
async function flatten(given: FlattenOptions, command: Command): Promise<void> {
  const { config: file } = given;
  if (file === undefined) {
    await kill(3, given).catch((error: unknown) => {
      if (!(error instanceof EngineSilent)) throw error;
      throw new CommandFailure(`${error.message}; with --config <file> this command closes everything without it`);
    });
    return;
  }
  const isGiven = (option: string): boolean => command.getOptionValueSource(option) === 'cli';
  const config = await loadConfigOrFail(file, isGiven('dataDir') ? { dataDir: given.dataDir } : {});
  const options = {
    ...given,
    dataDir: config.dataDir,
    port: isGiven('port') ? given.port : config.control.port,
  };
  await confirm('closes all pairs at the market, and ends an engine that does not answer', options.yes === true);
  try {
    await kill(3, { ...options, yes: true });
  } catch (error) {
    if (!(error instanceof EngineSilent)) throw error;
    process.stderr.write(`${error.message}: closing everything without it\n`);
    // The engine is large: only this way of it pays for loading it.
    const { flattenWithoutEngine } = await import('./flatten-alone.ts');
    const left = await flattenWithoutEngine(config, {
      reason: options.reason ?? DEFAULT_REASON,
      onEnding: (pid) => process.stderr.write(`process ${pid} uses ${config.dataDir} and does not answer: ended\n`),
    });
    if (left.length > 0)
      throw new CommandFailure(`not flat: ${left.join(', ')}; look at the venues, or run this command again`);
    say(options, { flat: true }, 'flat: no pair is open; the next start stays halted');
  }
}

async function exitPair(symbol: string, options: ActOptions): Promise<void> {
  const { picture } = await lookUntil(options, STATE_WAIT_MS, () => true);
  const phase = picture.phases.get(symbol);
  if (phase === undefined) throw new CommandFailure(`symbol must be one the engine trades, was "${symbol}"`);
  if (FLAT_PHASES.has(phase)) throw new CommandFailure(`${symbol} has no open pair, it is ${phase}`);
  await confirm(`closes the pair of ${symbol} at the market`, options.yes === true);
  await order(options, `/control/exit/${addressOf(symbol)}`, {});
  const left = await untilFlat(options, symbol);
  if (left.length > 0)
    throw new CommandFailure(`not closed after ${FLAT_WAIT_MS / 1_000} s: ${left.join(', ')}; the engine goes on`);
  say(options, { symbol, closed: true }, `${symbol} closed`);
}

/** Throws CommandFailure unless the engine took the order. */
export async function order(options: ActOptions, path: string, body: object): Promise<void> {
  const { status, body: answer } = await orderControl(options, path, body);
  if (status === 202) return;
  throw new CommandFailure(`the engine answered ${status}: ${JSON.stringify(answer)}`);
}

/** Told is not done: says what came of it. Throws CommandFailure when the engine did not follow. */
async function untilState(
  options: ActOptions,
  wanted: string,
  isReached: (picture: Picture) => boolean,
): Promise<void> {
  const { picture, isIn } = await lookUntil(options, STATE_WAIT_MS, isReached);
  const { state, reason } = picture;
  if (!isIn) throw new CommandFailure(`the engine must become ${wanted}, it is ${state} (${reason}): its log says why`);
  say(options, { state, reason }, `engine ${state} (${reason})`);
}

/** Returns what is still open at the end of the wait, as `BTC CLOSING`. */
async function untilFlat(options: ActOptions, symbol: string | undefined): Promise<readonly string[]> {
  const openIn = ({ phases }: Picture): readonly string[] =>
    [...phases]
      .filter(([base, phase]) => (symbol === undefined || base === symbol) && !FLAT_PHASES.has(phase))
      .map(([base, phase]) => `${base} ${phase}`);
  const { picture } = await lookUntil(options, FLAT_WAIT_MS, (seen) => openIn(seen).length === 0);
  return openIn(picture);
}

/** Looks until the picture is as wanted or the wait is over. Actors of a thread that starts anew do not answer for a while. */
async function lookUntil(
  options: ActOptions,
  waitMs: number,
  isWanted: (picture: Picture) => boolean,
): Promise<{ readonly picture: Picture; readonly isIn: boolean }> {
  const endMs = performance.now() + waitMs;
  for (;;) {
    const picture = await look(options);
    const isOver = performance.now() > endMs;
    if (picture !== undefined && (isOver || isWanted(picture))) return { picture, isIn: isWanted(picture) };
    if (isOver) throw new EngineSilent(`guard and observer must show their state within ${waitMs / 1_000} s`);
    await sleep(LOOK_MS);
  }
}

/** Undefined when guard or observer do not answer now. */
async function look(options: ActOptions): Promise<Picture | undefined> {
  const { status, body } = await askControl(options, '/debug/engine');
  if (status === 503) return undefined;
  const picture = fieldsOf(body);
  const pairs: unknown = picture?.['pairs'];
  if (status !== 200 || picture === undefined || !Array.isArray(pairs))
    throw new CommandFailure(`the engine answered ${status}: ${JSON.stringify(body)}`);
  return {
    state: String(picture['state']),
    reason: String(picture['reason']),
    flatten: picture['flatten'] === true,
    phases: new Map(pairs.map(fieldsOf).map((pair) => [String(pair?.['base']), String(pair?.['phase'])])),
  };
}

/** Undefined for what is no object. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  // Any object can be read by name.
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
}

export function say(options: ActOptions, json: object, text: string): void {
  process.stdout.write(`${options.json === true ? JSON.stringify(json) : text}\n`);
}
