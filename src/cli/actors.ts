/** `tandem actors`: shows the actors of a running engine, or one of them in depth. Main thread only. */
import type { Command } from 'commander';
import { actorRows, formatActorRows } from './actor-rows.ts';
import { CommandFailure } from './command-failure.ts';
import { addControlOptions, askControl } from './control-client.ts';
import type { ControlOptions } from './control-client.ts';

export function register(program: Command): void {
  const command = program
    .command('actors')
    .description('show the actors of a running engine')
    .argument('[path]', 'one actor, for example position/BTC');
  addControlOptions(command).action(showActors);
}

async function showActors(path: string | undefined, options: ControlOptions): Promise<void> {
  const suffix = path === undefined ? '' : `/${path.split('/').map(encodeURIComponent).join('/')}`;
  const { status, body } = await askControl(options, `/debug/actors${suffix}`);
  if (status === 404 && path !== undefined) throw new CommandFailure(`no actor lives at "${path}"`);
  if (status !== 200) throw new CommandFailure(`the engine answered ${status}: ${JSON.stringify(body)}`);
  const text =
    options.json === true
      ? JSON.stringify(body)
      : path === undefined
        ? formatActorRows(actorRows(body))
        : JSON.stringify(body, undefined, 2);
  process.stdout.write(`${text}\n`);
}
