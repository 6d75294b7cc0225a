/** `tandem why`: says what stands against entering each symbol right now. Main thread only. */
import type { Command } from 'commander';
import type { Reasons } from '../control/why.ts';
import { CommandFailure } from './command-failure.ts';
import { addControlOptions, addressOf, askControl } from './control-client.ts';
import type { ControlOptions } from './control-client.ts';
import { addFollowOption, showOrFollow } from './follow.ts';
import type { FollowOptions, View } from './follow.ts';
import { span } from './terminal-text.ts';

export function register(program: Command): void {
  const command = program
    .command('why')
    .description('say why it is not trading: the gate that refuses each symbol, with rule and value')
    .argument('[base]', 'one symbol, for example BTC: every pair of accounts it could be traded on');
  addFollowOption(addControlOptions(command)).action(
    (base: string | undefined, options: ControlOptions & FollowOptions) =>
      showOrFollow(options, () => lookAtReasons(base, options)),
  );
}

async function lookAtReasons(base: string | undefined, options: ControlOptions): Promise<View> {
  const { status, body } = await askControl(
    options,
    base === undefined ? '/debug/why' : `/debug/why/${addressOf(base)}`,
  );
  if (status === 404) throw new CommandFailure(`the engine does not trade "${base}"`);
  if (status !== 200) throw new CommandFailure(`the engine answered ${status}: ${JSON.stringify(body)}`);
  // What this engine's own route answers with.
  return { lines: () => reasonLines(body as Reasons).map((line) => [span(line)]), json: [JSON.stringify(body)] };
}

function reasonLines({ engine, refusals, bases }: Reasons): readonly string[] {
  const counted = Object.entries(refusals).sort(([, one], [, other]) => other - one);
  return [
    `engine ${engine.state}${engine.reason === '' ? '' : ` (${engine.reason})`}`,
    ...bases.flatMap(({ base, pair, candidates }) => [
      `${base}  ${pair.phase}${pair.reason === '' ? '' : ` (${pair.reason})`}`,
      ...(candidates.length === 0 ? ['  not evaluated yet'] : []),
      ...candidates.map((one) => `  long ${one.longVenue} short ${one.shortVenue}  ${one.verdict}  ${one.detail}`),
    ]),
    ...(counted.length === 0
      ? []
      : [`refused so far: ${counted.map(([gate, times]) => `${gate} ${times}`).join(', ')}`]),
  ];
}
