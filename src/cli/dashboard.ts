/** `tandem dashboard`: prints the link that opens a running engine's page, its token behind `#` where no server sees it. Main thread only. */
import type { Command } from 'commander';
import { CommandFailure } from './command-failure.ts';
import { addControlOptions, askControl, readToken } from './control-client.ts';
import type { ControlOptions } from './control-client.ts';

export function register(program: Command): void {
  const command = program
    .command('dashboard')
    .description("print the link to the engine's page; whoever has it can act on the engine");
  addControlOptions(command).action(printLink);
}

async function printLink(options: ControlOptions): Promise<void> {
  // A link to nobody would only be found out in the browser.
  const { status, body } = await askControl(options, '/readyz');
  if (status !== 200 && status !== 503)
    throw new CommandFailure(`the engine answered ${status}: ${JSON.stringify(body)}`);
  const link = `http://127.0.0.1:${options.port}/#token=${readToken(options.dataDir)}`;
  process.stdout.write(`${options.json === true ? JSON.stringify({ link }) : link}\n`);
}
