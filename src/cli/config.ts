/** `tandem config`: checks a configuration, or prints what it may hold. Main thread only. */
import type { Command } from 'commander';
import { configOption, loadConfigOrFail } from './config-file.ts';

interface CheckOptions {
  readonly config: string;
  readonly json?: true;
}

export function register(program: Command): void {
  const config = program.command('config').description('check a configuration, or print every setting there is');
  config
    .command('check')
    .description('load a configuration as a start does; exit code 0 only when it can be started')
    .addOption(configOption('configuration to check'))
    .option('--json', 'print the whole of it, defaults included, as JSON')
    .action(check);
  config.command('reference').description('print every setting: unit, default, range, purpose').action(printReference);
}

async function check(options: CheckOptions): Promise<void> {
  const config = await loadConfigOrFail(options.config, {});
  const accounts = Object.values(config.venues).reduce((sum, venue) => sum + venue.accounts.length, 0);
  const words = `OK  ${config.mode}, ${accounts} accounts, ${config.venuePairs.length} pairs of them, ${config.symbols.length} symbols`;
  process.stdout.write(`${options.json === true ? JSON.stringify(config) : words}\n`);
}

async function printReference(): Promise<void> {
  // Loading the schema takes longer than most commands.
  const { configReference } = await import('../../config/reference.ts');
  process.stdout.write(configReference());
}
