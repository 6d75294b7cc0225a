/** `tandem limits`: how much of each venue's limits is used, and what stands against using more. Main thread only. */
import type { Command } from 'commander';
import type { AccountLimits } from '../control/limits-picture.ts';
import { CommandFailure } from './command-failure.ts';
import { addControlOptions, askControl } from './control-client.ts';
import type { ControlOptions } from './control-client.ts';
import { addFollowOption, showOrFollow } from './follow.ts';
import type { FollowOptions, View } from './follow.ts';
import { formatAge, formatCount, span, table } from './terminal-text.ts';
import type { Column, Span } from './terminal-text.ts';

const NEARLY = 0.7;

export function register(program: Command): void {
  const command = program
    .command('limits')
    .description(
      "show each account's request limits: used, in flight, step of the ramp, last refusal; and open circuits",
    );
  addFollowOption(addControlOptions(command)).action((options: ControlOptions & FollowOptions) =>
    showOrFollow(options, () => lookAtLimits(options)),
  );
}

async function lookAtLimits(options: ControlOptions): Promise<View> {
  const { status, body } = await askControl(options, '/debug/limits');
  if (status !== 200) throw new CommandFailure(`the engine answered ${status}: ${JSON.stringify(body)}`);
  // What this engine's own route answers with.
  const { accounts } = body as { readonly accounts: readonly AccountLimits[] };
  return {
    lines: (columns) =>
      accounts.length === 0
        ? [[span('no connector answers')]]
        : [...table(COLUMNS, accounts.flatMap(rowsOf), columns), ...accounts.flatMap(openCircuits)],
    json: [JSON.stringify(body)],
  };
}

const COLUMNS: readonly Column[] = [
  { title: 'account', align: 'left', sacrifice: 0 },
  { title: 'limit', align: 'left', sacrifice: 0 },
  { title: 'counted by', align: 'left', sacrifice: 5 },
  { title: 'most', align: 'right', sacrifice: 3 },
  { title: 'in', align: 'right', sacrifice: 3 },
  { title: 'used', align: 'right', sacrifice: 0 },
  { title: 'in flight', align: 'right', sacrifice: 2 },
  { title: 'by choice', align: 'right', sacrifice: 1 },
  { title: 'refused', align: 'right', sacrifice: 0 },
  { title: 'last', align: 'right', sacrifice: 4 },
  { title: 'silent for', align: 'right', sacrifice: 0 },
];

function rowsOf({ account, limits, ramp, connections }: AccountLimits): readonly (readonly Span[])[] {
  return [
    ...limits.map((limit) => [
      span(account),
      span(limit.name),
      span(limit.per, 'dim'),
      span(formatCount(Math.floor(limit.max))),
      span(`${limit.windowMs / 1_000} s`, 'dim'),
      span(percent(limit.usedRatio), limit.usedRatio > NEARLY ? 'yellow' : 'plain'),
      span(limit.inFlightMax === undefined ? '' : `${limit.inFlight} of ${limit.inFlightMax}`),
      span(`${percent(limit.usable)}${ramp === undefined ? '' : ' (ramp)'}`, 'dim'),
      span(String(limit.refusals), limit.refusals > 0 ? 'red' : 'dim'),
      span(limit.refusedAgoMs === undefined ? '' : `${formatAge(limit.refusedAgoMs)} ago`, 'dim'),
      span(limit.silentForMs > 0 ? `${(limit.silentForMs / 1_000).toFixed(1)} s` : '', 'red'),
    ]),
    [
      span(account),
      span('connections'),
      span('address', 'dim'),
      span(connections.max === undefined ? 'not known' : String(connections.max)),
      span(''),
      span(String(connections.open)),
    ],
  ];
}

/** What is held back altogether: a line for each circuit that is not closed. */
function openCircuits({ account, circuits }: AccountLimits): readonly (readonly Span[])[] {
  return circuits
    .filter(({ status }) => status !== 'closed')
    .map(({ name, status, opensForMs, isLimited }) => {
      const rest = status === 'open' ? ` for ${formatAge(opensForMs)}${isLimited ? ', refused for a limit' : ''}` : '';
      return [span(`  ${account}  circuit of ${name} ${status}${rest}`, 'red')];
    });
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
