/** `tandem record`: writes down everything the configured connectors hear, and trades nothing. Main thread only. */
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { VENUE_NAMES } from '../../config/venue-names.ts';
import type { VenueName } from '../../config/venue-names.ts';
import { CommandFailure } from './command-failure.ts';
import { configOption, loadConfigOrFail } from './config-file.ts';
import { keyOptions } from './passphrase.ts';
import { listenForStop } from './stop-signals.ts';

interface RecordCommandOptions {
  readonly config: string;
  readonly out: string;
  readonly venue?: VenueName;
  readonly seconds?: number;
}

export function register(program: Command): void {
  program
    .command('record')
    .description('write down what the configured venues say, frame by frame with times, until Ctrl-C; trades nothing')
    .addOption(configOption('configuration whose accounts are listened with'))
    .requiredOption('--out <folder>', 'where the recordings are written, compressed, one file after another')
    .addOption(new Option('--venue <name>', 'this venue only').choices(VENUE_NAMES))
    .option('--seconds <count>', 'end by itself after so long', readSeconds)
    .action(runRecord);
}

async function runRecord(options: RecordCommandOptions): Promise<void> {
  const config = await loadConfigOrFail(options.config, {});
  const { recordConnectors } = await import('../composition/live/record.ts');
  const { openKeys } = await import('../composition/live/account-keys.ts');
  const stopped = Promise.withResolvers<undefined>();
  const dispose = listenForStop({ onStop: () => stopped.resolve(undefined), onHurry: () => undefined });
  const timer =
    options.seconds === undefined ? undefined : setTimeout(() => stopped.resolve(undefined), options.seconds * 1_000);
  try {
    const files = await recordConnectors(config, {
      keys: await openKeys(config, keyOptions()),
      directory: options.out,
      venue: options.venue,
      until: stopped.promise,
      log: ({ level, event, fields }) => {
        if (level === 'warn' || level === 'error')
          process.stderr.write(`${level} ${event} ${JSON.stringify(fields ?? {})}\n`);
      },
    });
    process.stdout.write(`${files.join('\n')}\n`);
  } catch (error) {
    throw new CommandFailure(`tandem cannot record: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    clearTimeout(timer);
    dispose();
  }
}

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 86_400)) throw new InvalidArgumentError('must be seconds, at most a day.');
  return seconds;
}
