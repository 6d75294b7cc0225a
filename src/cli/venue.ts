/** `tandem venue`: runs one simulated venue by itself, for engines in other processes. Main thread only. */
import { Argument } from 'commander';
import type { Command } from 'commander';
import type { ConfigOverrides, TandemConfig } from '../../config/schema.ts';
import { VENUE_NAMES } from '../../config/venue-names.ts';
import type { VenueName } from '../../config/venue-names.ts';
import { CommandFailure, EXIT } from './command-failure.ts';
import { configOption, loadConfigOrFail } from './config-file.ts';
import { readPort } from './option-values.ts';

/** Quote money of the one account on a venue that the configuration leaves out. */
const ADDED_BALANCE = 10_000;

interface VenueOptions {
  readonly config: string;
  readonly port: number;
  readonly accountType?: string;
}

export function register(program: Command): void {
  program
    .command('venue')
    .description('run one simulated venue on 127.0.0.1 until Ctrl-C')
    .addArgument(new Argument('<name>', 'venue').choices(VENUE_NAMES))
    .option('--account-type <type>', 'kind of its accounts, where the venue has several, for example us')
    .requiredOption('--port <port>', 'port to listen on, 0 for any free one', readPort)
    .addOption(configOption('configuration that says what the venue is like'))
    .action(runVenueCommand);
}

async function runVenueCommand(name: VenueName, options: VenueOptions): Promise<void> {
  const configured = await loadConfigOrFail(options.config, {});
  const added = isLeftOut(configured, name) ? addedVenue(name) : {};
  const { accountType } = options;
  const chosen = accountType === undefined ? {} : { venues: { [name]: { ...added.venues?.[name], accountType } } };
  const config = await loadConfigOrFail(options.config, { ...added, ...chosen });
  if (config.venues[name]?.kind !== 'simulated') {
    throw new CommandFailure(`venue must be a simulated one of ${options.config}, was "${name}"`, EXIT.usage);
  }
  const { runVenue } = await import('../main.ts');
  const exitCode = await runVenue(config, { venue: name, port: options.port });
  if (exitCode !== 0) throw new CommandFailure('', exitCode);
}

/** A market that is made up can have one venue more; recorded rows cannot. */
function isLeftOut(config: TandemConfig, name: VenueName): boolean {
  return config.mode === 'simulated' && config.tape?.kind === 'generated' && config.venues[name] === undefined;
}

/** One account on the venue, and the funding series of its name where there is one. */
function addedVenue(name: VenueName): ConfigOverrides {
  const series = name === 'lighter' ? name : 'hyperliquid';
  return {
    venues: { [name]: { kind: 'simulated', accounts: [{ name: 'main', balance: ADDED_BALANCE }] } },
    tape: { kind: 'generated', venues: { [name]: { series } } },
  };
}
