/** `tandem flags`: shows the optimisations of a running engine and switches them. Main thread only. */
import { Argument } from 'commander';
import type { Command } from 'commander';
import type { FlagState } from '../control/flags.ts';
import { FLAG_NAMES } from '../venues/flags.ts';
import { CommandFailure } from './command-failure.ts';
import { addControlOptions, askControl, orderControl } from './control-client.ts';
import type { ControlAnswer, ControlOptions } from './control-client.ts';

export function register(program: Command): void {
  const command = program
    .command('flags')
    .description('show what makes the engine fast, or switch one of it on or off; no decision depends on any')
    .addArgument(new Argument('[name]', 'which one').choices(FLAG_NAMES))
    .addArgument(new Argument('[state]', 'what to make it').choices(['on', 'off']));
  addControlOptions(command).action(showFlags);
}

async function showFlags(name: string | undefined, state: string | undefined, options: ControlOptions): Promise<void> {
  if (state !== undefined) checked(await orderControl(options, '/control/flags', { name, isOn: state === 'on' }), 202);
  // What this engine's own route answers with.
  const { flags } = checked(await askControl(options, '/debug/flags'), 200) as { readonly flags: readonly FlagState[] };
  const shown = flags.filter((flag) => name === undefined || flag.name === name);
  const lines = options.json === true ? [JSON.stringify({ flags: shown })] : shown.map(lineOf);
  process.stdout.write(`${lines.join('\n')}\n`);
}

function checked({ status, body }: ControlAnswer, wanted: number): unknown {
  if (status !== wanted) throw new CommandFailure(`the engine answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

function lineOf({ name, accounts }: FlagState): string {
  const states = Object.entries(accounts).map(
    ([account, { isOn, fellBack }]) =>
      `${account} ${isOn ? 'on' : 'off'}${fellBack > 0 ? ` (fell back ${fellBack} times)` : ''}`,
  );
  return `${name.padEnd(22)}${states.length === 0 ? 'no connector answers' : states.join('  ')}`;
}
