/** The command line: reads the words, runs one command, answers with its exit code. Main thread only. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { CommandFailure, EXIT } from './command-failure.ts';
import * as acts from './acts.ts';
import * as actors from './actors.ts';
import * as adopt from './adopt.ts';
import * as bench from './bench.ts';
import * as config from './config.ts';
import * as dashboard from './dashboard.ts';
import * as db from './db.ts';
import * as doctor from './doctor.ts';
import * as flags from './flags.ts';
import * as keys from './keys.ts';
import * as limits from './limits.ts';
import * as init from './init.ts';
import * as pairs from './pairs.ts';
import * as report from './report.ts';
import * as record from './record.ts';
import * as replay from './replay.ts';
import * as start from './start.ts';
import * as status from './status.ts';
import * as trace from './trace.ts';
import * as venue from './venue.ts';
import * as why from './why.ts';

/**
 * Runs one command to its end.
 *
 * @param words the command line after the program's own name
 * @returns 0 done, 1 failed, 2 wrong usage or configuration, 70 a defect of the program
 */
export async function runTandem(words: readonly string[]): Promise<number> {
  try {
    await buildProgram().parseAsync(withDefaultCommand(words), { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    return explainFailure(error);
  }
}

function buildProgram(): Command {
  const program = new Command('tandem')
    .description('Funding-rate arbitrage on perpetual futures. Without a command: start with the demo configuration.')
    .version(packageVersion())
    .showHelpAfterError('Run with --help to see what there is.')
    .exitOverride();
  // Order of the help page. Commands inherit exitOverride only when it is set before they are added.
  start.register(program);
  dashboard.register(program);
  init.register(program);
  config.register(program);
  status.register(program);
  why.register(program);
  pairs.register(program);
  report.register(program);
  actors.register(program);
  limits.register(program);
  flags.register(program);
  trace.register(program);
  acts.register(program);
  adopt.register(program);
  bench.register(program);
  keys.register(program);
  doctor.register(program);
  record.register(program);
  replay.register(program);
  venue.register(program);
  db.register(program);
  return program;
}

/** Without a command, options are those of `start`. */
function withDefaultCommand(words: readonly string[]): readonly string[] {
  const [first] = words;
  const isGlobal = first !== undefined && ['--help', '-h', '--version', '-V'].includes(first);
  return first === undefined || (first.startsWith('-') && !isGlobal) ? ['start', ...words] : words;
}

function explainFailure(error: unknown): number {
  // Commander has printed its own message already; help and version end with 0, every other end is wrong usage.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof CommandFailure) {
    if (error.message !== '') process.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
  process.stderr.write(
    `tandem: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return EXIT.internal;
}

function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown';
}
