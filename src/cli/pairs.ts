/** `tandem pairs`: what became of every pair, from the journal; works without an engine. Main thread only. */
import type { Command } from 'commander';
import { isActive } from '../execution/pair-state.ts';
import type { PairRecord } from '../execution/pair.ts';
import type { PairStatistics } from '../execution/pair-statistics.ts';
import { addFollowOption, showOrFollow } from './follow.ts';
import type { FollowOptions, View } from './follow.ts';
import { bigintAsText, NewestOfPairs, requireJournal } from './journal-rows.ts';
import { formatAge, formatCount, formatMoney, span, table } from './terminal-text.ts';
import type { Column, Span } from './terminal-text.ts';

interface PairsOptions extends FollowOptions {
  readonly dataDir: string;
  readonly closed?: true;
}

export function register(program: Command): void {
  const command = program
    .command('pairs')
    .description('what became of each pair: expected against realised, slippage, hedge latency, funding, fees')
    .argument('[base]', 'only pairs of one symbol, for example BTC')
    .option('--closed', 'only closed pairs')
    .option('--data-dir <folder>', 'where the journal is', './var')
    .option('--json', 'print one pair a line as JSON; amounts are micro-units as text');
  addFollowOption(command).action(showPairs);
}

async function showPairs(base: string | undefined, options: PairsOptions): Promise<void> {
  requireJournal(options.dataDir);
  const closed = new NewestOfPairs<PairStatistics>(options.dataDir, 'pair-statistics', 'statistics');
  const records = new NewestOfPairs<PairRecord>(options.dataDir, 'pair-state', 'pair');
  await showOrFollow(options, async () => {
    const isWanted = (pair: { readonly base: string }): boolean => base === undefined || pair.base === base;
    const active = options.closed === true ? [] : (await records.read()).filter(({ phase }) => isActive(phase));
    return viewOf((await closed.read()).filter(isWanted), active.filter(isWanted));
  });
}

function viewOf(closed: readonly PairStatistics[], active: readonly PairRecord[]): View {
  return {
    lines: (columns) => [
      ...(active.length === 0 ? [] : table(ACTIVE_COLUMNS, active.map(activeCells), columns)),
      ...(closed.length === 0
        ? [[span('no pair has been closed')]]
        : table(CLOSED_COLUMNS, closed.map(cells), columns)),
    ],
    json: [...closed, ...active].map((pair) => JSON.stringify(pair, bigintAsText)),
  };
}

const ACTIVE_COLUMNS: readonly Column[] = [
  { title: 'pair', align: 'left', sacrifice: 0 },
  { title: 'phase', align: 'left', sacrifice: 0 },
  { title: 'long / short', align: 'left', sacrifice: 0 },
  { title: 'expected', align: 'right', sacrifice: 0 },
  { title: 'why', align: 'left', sacrifice: 0, isText: true },
];

function activeCells({ pairId, phase, long, short, expected, reason }: PairRecord): readonly Span[] {
  return [
    span(pairId),
    span(phase, 'yellow'),
    span(`${long.venue} / ${short.venue}`),
    span(expected.expectedValueQuote.toFixed(4), 'dim'),
    span(reason, 'dim'),
  ];
}

const CLOSED_COLUMNS: readonly Column[] = [
  { title: 'pair', align: 'left', sacrifice: 0 },
  { title: 'why', align: 'left', sacrifice: 0 },
  { title: 'held', align: 'right', sacrifice: 6 },
  { title: 'net', align: 'right', sacrifice: 0 },
  { title: 'expected', align: 'right', sacrifice: 0 },
  { title: 'price', align: 'right', sacrifice: 5 },
  { title: 'funding', align: 'right', sacrifice: 0 },
  { title: 'paid', align: 'right', sacrifice: 3 },
  { title: 'missing', align: 'right', sacrifice: 4 },
  { title: 'fees', align: 'right', sacrifice: 0 },
  { title: 'slip in', align: 'right', sacrifice: 8 },
  { title: 'slip out', align: 'right', sacrifice: 8 },
  { title: 'hedged in', align: 'right', sacrifice: 7 },
  { title: 'quote·s', align: 'right', sacrifice: 9 },
];

function cells(pair: PairStatistics): readonly Span[] {
  const { slippageBps } = pair;
  return [
    span(pair.pairId),
    span(pair.exitReason === '' ? 'not said' : pair.exitReason),
    span(formatAge(pair.heldMs), 'dim'),
    span(formatMoney(pair.netMicro)),
    span(pair.expectedValueQuote.toFixed(4), 'dim'),
    span(formatMoney(pair.priceMicro), 'dim'),
    span(formatMoney(pair.fundingMicro)),
    span(`${formatCount(pair.payments)} of ${formatCount(pair.paymentsExpected)}`, 'dim'),
    span(formatMoney(pair.fundingMissingMicro), pair.fundingMissingMicro === 0n ? 'dim' : 'yellow'),
    span(formatMoney(pair.feesMicro)),
    span(bothLegs(slippageBps.longIn, slippageBps.shortIn), 'dim'),
    span(bothLegs(slippageBps.longOut, slippageBps.shortOut), 'dim'),
    span(pair.hedgeLatencyMs.length === 0 ? '' : `${Math.max(...pair.hedgeLatencyMs).toFixed(0)} ms`, 'dim'),
    span(pair.exposureQuoteSec.toFixed(1), 'dim'),
  ];
}

/** Bps of the long and the short leg. */
function bothLegs(long: number | undefined, short: number | undefined): string {
  const text = (bps: number | undefined): string => (bps === undefined ? '?' : bps.toFixed(1));
  return long === undefined && short === undefined ? '' : `${text(long)} / ${text(short)}`;
}
