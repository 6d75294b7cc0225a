/** `tandem venue`: runs one simulated venue by itself, for engines in other processes. Main thread only. */
import { Argument } from 'commander';
import type { Command } from 'commander';
import { VENUE_NAMES } from '../../config/venue-names.ts';
import type { TandemConfig } from '../../config/schema.ts';
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
  const config = await configWith(name, options.config);
  if (config.venues[name]?.kind !== 'simulated') {
    throw new CommandFailure(`venue must be a simulated one of ${options.config}, was "${name}"`, EXIT.usage);
  }
  const { runVenue } = await import('../main.ts');
  const exitCode = await runVenue(config, { venue: name, port: options.port });
  if (exitCode !== 0) throw new CommandFailure('', exitCode);
}

/** What moves a venue for which no funding series was fitted. */
const USUAL_SERIES = 'hyperliquid';

/** The configuration; where it does not know the venue at all and its market is made up, with that venue in the same market. */
async function configWith(name: VenueName, file: string): Promise<TandemConfig> {
  const config = await loadConfigOrFail(file, {});
  const { tape } = config;
  if (config.venues[name] !== undefined || tape?.kind !== 'generated') return config;
  const { GENERATED_SERIES } = await import('../simulation/generated-tape.ts');
  const series = GENERATED_SERIES.includes(name) ? name : USUAL_SERIES;
  return loadConfigOrFail(file, {
    venues: { [name]: { kind: 'simulated', accounts: [{ name: 'main' }] } },
    tape: { ...tape, venues: { ...tape.venues, [name]: { series } } },
  });
}
