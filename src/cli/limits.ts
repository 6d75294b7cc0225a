/** `tandem limits`: how much of each venue's limits is used, and what stands against using more. Main thread only. */
import type { Command } from 'commander';
import type { AccountLimits } from '../control/limits-picture.ts';
import { CommandFailure } from './command-failure.ts';
import { addControlOptions, askControl } from './control-client.ts';
import type { ControlOptions } from './control-client.ts';
import { formatAge, formatCount, paint, span, table } from './terminal-text.ts';
import type { Column, Span } from './terminal-text.ts';

/** Output that is no terminal is as wide as its widest line. */
const COLUMNS_UNBOUNDED = 10_000;
const NEARLY = 0.7;

export function register(program: Command): void {
  const command = program
    .command('limits')
    .description("show each account's request limits: used, in flight, step of the ramp, last refusal");
  addControlOptions(command).action(showLimits);
}

async function showLimits(options: ControlOptions): Promise<void> {
  const { status, body } = await askControl(options, '/debug/limits');
  if (status !== 200) throw new CommandFailure(`the engine answered ${status}: ${JSON.stringify(body)}`);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(body)}\n`);
    return;
  }
  // What this engine's own route answers with.
  const { accounts } = body as { readonly accounts: readonly AccountLimits[] };
  const columns = process.stdout.isTTY ? process.stdout.columns : COLUMNS_UNBOUNDED;
  const lines =
    accounts.length === 0 ? [[span('no connector answers')]] : table(COLUMNS, accounts.flatMap(rowsOf), columns);
  process.stdout.write(`${lines.map((line) => paint(line, columns, process.stdout.isTTY)).join('\n')}\n`);
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

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
