/** `tandem start`: runs the engine until it is told to stop. Main thread only. */
import type { Command } from 'commander';
import { CommandFailure } from './command-failure.ts';
import { configOption, loadConfigOrFail } from './config-file.ts';
import { readPort } from './option-values.ts';

interface StartOptions {
  readonly config: string;
  readonly dataDir?: string;
  readonly port?: number;
  readonly enableHeapSnapshot?: true;
}

export function register(program: Command): void {
  program
    .command('start')
    .description('run the engine until Ctrl-C; the command when none is named')
    .addOption(configOption('configuration file'))
    .option('--data-dir <folder>', 'journal, logs and tokens (configuration: dataDir, ./var)')
    .option(
      '--port <port>',
      'port of the control server, 0 for any free one (configuration: control.port, 7070)',
      readPort,
    )
    .option(
      '--enable-heap-snapshot',
      'let whoever has the token write the heap, secrets included, to the data directory',
    )
    .action(start);
}

async function start(options: StartOptions): Promise<void> {
  const config = await loadConfigOrFail(options.config, {
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
    ...(options.port === undefined ? {} : { control: { port: options.port } }),
  });
  // The engine is large: only this command pays for loading it, and only with a configuration that can run.
  const { runEngine } = await import('../main.ts');
  const exitCode = await runEngine(config, {
    configFile: options.config,
    enableHeapSnapshot: options.enableHeapSnapshot === true,
  });
  if (exitCode !== 0) throw new CommandFailure('', exitCode);
}
