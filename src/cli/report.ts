/** `tandem report`: what the closed pairs of a span of time earned, and by what; from the journal, without an engine. Main thread only. */
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { reportOf } from '../execution/pair-report.ts';
import type { PairReport, PairSums, ReportGroup } from '../execution/pair-report.ts';
import type { PairStatistics } from '../execution/pair-statistics.ts';
import { bigintAsText, COLUMNS_UNBOUNDED, NewestOfPairs, requireJournal } from './journal-rows.ts';
import { formatAge, formatCount, formatMoney, moneyStyle, paint, span, table } from './terminal-text.ts';
import type { Column, Span } from './terminal-text.ts';

interface ReportOptions {
  readonly dataDir: string;
  readonly from?: number;
  readonly to?: number;
  readonly by: readonly ReportGroup[];
  readonly json?: true;
}

const GROUPS: readonly ReportGroup[] = ['day', 'symbol', 'venues', 'reason'];

export function register(program: Command): void {
  program
    .command('report')
    .description('what closed pairs earned: net, price, funding, fees, against what was expected; whole and in groups')
    .option('--from <when>', 'closed at or after this UTC day or instant, for example 2026-01-21', readInstant)
    .option('--to <when>', 'closed before this one', readInstant)
    .option('--by <groups>', `some of ${GROUPS.join(', ')}`, readGroups, GROUPS)
    .option('--data-dir <folder>', 'where the journal is', './var')
    .option('--json', 'print the report as JSON; amounts are micro-units as text')
    .action(showReport);
}

async function showReport(options: ReportOptions): Promise<void> {
  requireJournal(options.dataDir);
  const pairs = await new NewestOfPairs<PairStatistics>(options.dataDir, 'pair-statistics', 'statistics').read();
  const report = reportOf(pairs, {
    fromMs: options.from ?? 0,
    toMs: options.to ?? Number.MAX_SAFE_INTEGER,
  });
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(report, bigintAsText)}\n`);
    return;
  }
  const columns = process.stdout.isTTY ? process.stdout.columns : COLUMNS_UNBOUNDED;
  const lines = reportLines(report, options.by, columns).map((line) => paint(line, columns, process.stdout.isTTY));
  process.stdout.write(`${lines.join('\n')}\n`);
}

function reportLines(
  report: PairReport,
  groups: readonly ReportGroup[],
  columns: number,
): readonly (readonly Span[])[] {
  if (report.all.pairs === 0) return [[span('no pair was closed in this time')]];
  const { all, hedgeLatencyMs, slippageBps } = report;
  const shown = groups.flatMap((group) => [
    [],
    ...table(
      columnsOf(group),
      report.groups[group].map(({ name, ...sums }) => [span(name), ...cells(sums)]),
      columns,
    ),
  ]);
  return [
    ...table(columnsOf('all'), [[span('closed pairs'), ...cells(all)]], columns),
    [
      span(`  average held ${formatAge(all.heldMs / all.pairs)}`, 'dim'),
      span(`, unhedged ${all.exposureQuoteSec.toFixed(1)} quote·s`, 'dim'),
      span(slippageBps === undefined ? '' : `, slippage ${slippageBps.toFixed(2)} bps`, 'dim'),
      span(hedgeLatencyMs === undefined ? '' : `, hedged in ${latencies(hedgeLatencyMs)}`, 'dim'),
    ],
    ...shown,
  ];
}

function latencies({ p50, p95, max }: NonNullable<PairReport['hedgeLatencyMs']>): string {
  return `${p50.toFixed(0)} ms p50, ${p95.toFixed(0)} ms p95, ${max.toFixed(0)} ms at most`;
}

function columnsOf(title: string): readonly Column[] {
  return [
    { title: title === 'all' ? '' : title, align: 'left', sacrifice: 0 },
    { title: 'pairs', align: 'right', sacrifice: 0 },
    { title: 'won', align: 'right', sacrifice: 5 },
    { title: 'net', align: 'right', sacrifice: 0 },
    { title: 'expected', align: 'right', sacrifice: 1 },
    { title: 'price', align: 'right', sacrifice: 3 },
    { title: 'funding', align: 'right', sacrifice: 0 },
    { title: 'fees', align: 'right', sacrifice: 2 },
    { title: 'paid', align: 'right', sacrifice: 6 },
    { title: 'missing', align: 'right', sacrifice: 4 },
  ];
}

function cells(sums: PairSums): readonly Span[] {
  return [
    span(formatCount(sums.pairs)),
    span(formatCount(sums.won), 'dim'),
    span(formatMoney(sums.netMicro), moneyStyle(sums.netMicro)),
    span(sums.expectedQuote.toFixed(4), 'dim'),
    span(formatMoney(sums.priceMicro), 'dim'),
    span(formatMoney(sums.fundingMicro)),
    span(formatMoney(sums.feesMicro)),
    span(`${formatCount(sums.payments)} of ${formatCount(sums.paymentsExpected)}`, 'dim'),
    span(formatMoney(sums.missingMicro), sums.missingMicro === 0n ? 'dim' : 'yellow'),
  ];
}

function readInstant(text: string): number {
  // A day alone is its beginning in UTC; an instant must say that it is in UTC.
  const isKnown = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?Z)?$/.test(text);
  const atMs = isKnown ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs)) throw new InvalidArgumentError('must be a UTC day or instant like 2026-01-21T08:00:00Z.');
  return atMs;
}

function readGroups(text: string): readonly ReportGroup[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !GROUPS.some((known) => known === name));
  if (unknown !== undefined) throw new InvalidArgumentError(`must be some of ${GROUPS.join(', ')}, was "${unknown}".`);
  return GROUPS.filter((known) => names.includes(known));
}
