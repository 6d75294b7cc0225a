/** `tandem venue`: runs one simulated venue by itself, for engines in other processes. Main thread only. */
import { Argument } from 'commander';
import type { Command } from 'commander';
import { VENUE_NAMES } from '../../config/venue-names.ts';
import type { VenueName } from '../../config/venue-names.ts';
import { CommandFailure, EXIT } from './command-failure.ts';
import { configOption, loadConfigOrFail } from './config-file.ts';
import { readPort } from './option-values.ts';

interface VenueOptions {
  readonly config: string;
  readonly port: number;
}

export function register(program: Command): void {
  program
    .command('venue')
    .description('run one simulated venue on 127.0.0.1 until Ctrl-C')
    .addArgument(new Argument('<name>', 'venue').choices(VENUE_NAMES))
    .requiredOption('--port <port>', 'port to listen on, 0 for any free one', readPort)
    .addOption(configOption('configuration that says what the venue is like'))
    .action(runVenueCommand);
}

async function runVenueCommand(name: VenueName, options: VenueOptions): Promise<void> {
  const config = await loadConfigOrFail(options.config, {});
  if (config.venues[name]?.kind !== 'simulated') {
    throw new CommandFailure(`venue must be a simulated one of ${options.config}, was "${name}"`, EXIT.usage);
  }
  const { runVenue } = await import('../main.ts');
  const exitCode = await runVenue(config, { venue: name, port: options.port });
  if (exitCode !== 0) throw new CommandFailure('', exitCode);
}
