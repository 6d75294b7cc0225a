/** Names and loads the configuration a command works with. Main thread only. */
import { join } from 'node:path';
import { Option } from 'commander';
import type { ConfigOverrides, TandemConfig } from '../../config/schema.ts';
import { CommandFailure, EXIT } from './command-failure.ts';

const DEMO_CONFIG_FILE = join(import.meta.dirname, '..', '..', 'config', 'demo.yaml');

/** Returns the `--config` option; without it, the demo: simulated venues and play money. */
export function configOption(description: string): Option {
  return new Option('--config <file>', description).default(DEMO_CONFIG_FILE, 'config/demo.yaml, play money');
}

/** Throws CommandFailure with exit code 2 and one line per mistake. */
export async function loadConfigOrFail(file: string, overrides: ConfigOverrides): Promise<TandemConfig> {
  // Loading the validator takes longer than most commands: only those that need it pay.
  const { loadConfig } = await import('../../config/load.ts');
  const { ConfigError } = await import('../../config/config-error.ts');
  try {
    return loadConfig(file, overrides);
  } catch (error) {
    if (error instanceof ConfigError) throw new CommandFailure(error.message, EXIT.usage);
    throw error;
  }
}
