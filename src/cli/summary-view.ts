/** Draws the running engine on a terminal: one picture, as wide as it may be. Pure; main thread. */
import type { PairSummary, TradingSummary, VenueSummary } from '../../actors/observer.ts';
import type { SystemSnapshot, ThreadSnapshot } from '../runtime/snapshot.ts';
import type { SummaryInput } from './terminal-view.ts';
import { formatAge, formatAmount, formatCount, formatMoney, moneyStyle, paint, span, table } from './terminal-text.ts';
import type { Column, Span, Style } from './terminal-text.ts';

type Line = readonly Span[];

const CANDIDATES_MAX = 3;
const REFUSALS_MAX = 5;
const BROKEN_MAX = 3;
/** A thread whose event loop was this late is shown as a warning, and this late as a fault, ms. */
const LAG_WARN_MS = 50;
const LAG_FAULT_MS = 250;

/** Returns the picture's lines, each at most `columns` wide, with ANSI styles only when `isColored`. */
export function renderSummary(input: SummaryInput, columns: number, isColored = false): string[] {
  const { trading } = input;
  const lines: readonly Line[] = [
    ...headLines(input),
    [],
    ...(trading === undefined
      ? [[span('  no news from the observer yet', 'dim')]]
      : tradingLines(trading, input.nowMs, columns)),
    [],
    ...threadLines(input.snapshot, columns),
  ];
  return lines.map((line) => paint(line, columns, isColored));
}

function headLines({ trading, readiness, address, boot, journal }: SummaryInput): readonly Line[] {
  const engine = trading?.engine;
  const ready = readiness.ready ? span('READY', 'green') : span('STARTING', 'yellow');
  const state = span(engine?.state ?? '', stateStyle(engine?.state));
  const place = span(
    `${address} · page: npx tandem dashboard · boot ${boot} · ${formatCount(journal.rows)} journal rows`,
    'dim',
  );
  const lines: Line[] = [[span(' TANDEM', 'bold'), span('  '), ready, span('  '), state, span('  '), place]];
  if (journal.type === 'tail-lost') lines.push([span(`  journal: ${journal.detail}`, 'red')]);
  if (!readiness.ready) lines.push([span(`  waiting: ${readiness.reasons.join(', ')}`, 'yellow')]);
  if (engine !== undefined && engine.state !== 'TRADING' && engine.reason !== '') {
    lines.push([span(`  ${engine.state.toLowerCase()}: ${engine.reason}`, 'yellow')]);
  }
  lines.push(...brokenLines(trading?.identities));
  if (trading !== undefined) lines.push(totalsLine(trading));
  return lines;
}

/** What does not add up, one line each: nothing else on this page can be believed while there is one. */
function brokenLines(identities: TradingSummary['identities']): readonly Line[] {
  const broken = identities?.broken ?? [];
  const shown = broken
    .slice(0, BROKEN_MAX)
    .map(({ identity, subject, expected, got, isAcknowledged }) => [
      span(`  ${identity} ${subject}: expected ${expected}, got ${got}`, isAcknowledged ? 'yellow' : 'red'),
    ]);
  return broken.length <= BROKEN_MAX ? shown : [...shown, [span(`  and ${broken.length - BROKEN_MAX} more`, 'red')]];
}

function totalsLine({ totals, identities }: TradingSummary): Line {
  const money = (name: string, micro: bigint): Line => [
    span(`   ${name} `, 'dim'),
    { text: formatMoney(micro), style: moneyStyle(micro) },
  ];
  return [
    ...money('net', totals.netMicro),
    ...money('funding', totals.fundingMicro),
    span('   open ', 'dim'),
    span(`${totals.openPairs}`),
    span(` at ${formatAmount(totals.openNotionalMicro)}`, 'dim'),
    span('   closed ', 'dim'),
    span(formatCount(totals.closedPairs)),
    span('   live orders ', 'dim'),
    span(formatCount(totals.liveOrders)),
    ...booksSpans(identities),
  ].map((part, at) => (at === 0 ? { ...part, text: part.text.slice(1) } : part));
}

function booksSpans(identities: TradingSummary['identities']): Line {
  if (identities === undefined) return [];
  if (!identities.isCaughtUp) return [span('   books ', 'dim'), span('being read', 'yellow')];
  const { length } = identities.broken;
  return [span('   books ', 'dim'), length === 0 ? span('exact', 'green') : span(`${length} BROKEN`, 'red')];
}

function stateStyle(state: string | undefined): Style {
  return state === 'TRADING' ? 'green' : state === 'HALTED' ? 'red' : 'yellow';
}

function tradingLines(trading: TradingSummary, nowMs: number | undefined, columns: number): readonly Line[] {
  const calendarMs = nowMs ?? trading.opportunities?.atMs;
  return [
    ...section(
      'pairs',
      table(
        PAIR_COLUMNS,
        trading.pairs.map((pair) => pairCells(pair, calendarMs)),
        columns,
      ),
    ),
    [],
    ...section('venues', table(VENUE_COLUMNS, trading.venues.map(venueCells), columns)),
    [],
    ...opportunityLines(trading, columns),
  ];
}

function section(title: string, body: readonly Line[]): readonly Line[] {
  const [heading = [], ...rows] = body;
  // The title takes the place of the first column's.
  const [first, ...others] = heading;
  const padded = (first?.text ?? '').length;
  return [[{ text: ` ${title.toUpperCase()}`.padEnd(padded), style: 'cyan' }, ...others], ...rows];
}

const PAIR_COLUMNS: readonly Column[] = [
  { title: '       ', align: 'left', sacrifice: 0 },
  { title: 'phase', align: 'left', sacrifice: 0 },
  { title: 'long / short', align: 'left', sacrifice: 2 },
  { title: 'notional', align: 'right', sacrifice: 5 },
  { title: 'held', align: 'right', sacrifice: 4 },
  { title: 'funding', align: 'right', sacrifice: 0 },
  { title: 'paid', align: 'right', sacrifice: 7 },
  { title: 'fees', align: 'right', sacrifice: 6 },
  { title: 'result', align: 'right', sacrifice: 0 },
  { title: 'closed', align: 'right', sacrifice: 8 },
  { title: 'sum', align: 'right', sacrifice: 1 },
  { title: 'why', align: 'left', sacrifice: 3, isText: true },
];

function pairCells(pair: PairSummary, calendarMs: number | undefined): Line {
  const isActive = isHolding(pair);
  const held =
    isActive && pair.openedAtMs > 0 && calendarMs !== undefined ? formatAge(calendarMs - pair.openedAtMs) : '';
  const result = pair.executableMicro ?? pair.realisedMicro + pair.feesMicro + pair.fundingMicro;
  const legs = pair.long === undefined || pair.short === undefined ? '' : `${pair.long.venue} / ${pair.short.venue}`;
  const ifActive = (cell: Span): Span => (isActive ? cell : span('·', 'dim'));
  return [
    span(pair.base, isActive ? 'bold' : 'plain'),
    span(pair.phase, phaseStyle(pair.phase)),
    ifActive(span(legs)),
    ifActive(span(formatAmount(pair.notionalMicro))),
    ifActive(span(held)),
    ifActive({ text: formatMoney(pair.fundingMicro), style: moneyStyle(pair.fundingMicro) }),
    ifActive(span(formatCount(pair.fundingPayments), 'dim')),
    ifActive(span(formatMoney(pair.feesMicro), 'dim')),
    ifActive({ text: formatMoney(result), style: moneyStyle(result) }),
    span(formatCount(pair.closedPairs), 'dim'),
    { text: formatMoney(pair.closedNetMicro), style: moneyStyle(pair.closedNetMicro) },
    span(pair.reason, 'dim'),
  ];
}

function isHolding({ phase }: PairSummary): boolean {
  return phase !== 'IDLE' && phase !== 'CLOSED' && phase !== 'FAILED' && phase !== 'RECOVERING';
}

function phaseStyle(phase: PairSummary['phase']): Style {
  switch (phase) {
    case 'OPEN':
      return 'green';
    case 'QUARANTINED':
    case 'UNWINDING':
      return 'red';
    case 'IDLE':
    case 'CLOSED':
    case 'FAILED':
      return 'dim';
    default:
      return 'yellow';
  }
}

const VENUE_COLUMNS: readonly Column[] = [
  { title: '       ', align: 'left', sacrifice: 0 },
  { title: 'status', align: 'left', sacrifice: 0 },
  { title: 'wallet', align: 'right', sacrifice: 2 },
  { title: 'available', align: 'right', sacrifice: 5 },
  { title: 'clock', align: 'right', sacrifice: 4 },
  { title: 'order budget', align: 'right', sacrifice: 3 },
  { title: 'why', align: 'left', sacrifice: 1, isText: true },
];

function venueCells(venue: VenueSummary): Line {
  const isReady = venue.status === 'ready';
  const status = isReady && !venue.entriesAllowed ? 'ready, no entries yet' : venue.status;
  return [
    span(`${venue.venue}:${venue.account}`),
    span(status, isReady ? (venue.entriesAllowed ? 'green' : 'yellow') : venue.status === 'down' ? 'red' : 'yellow'),
    span(balanceText(venue, venue.walletMicro)),
    span(balanceText(venue, venue.availableMicro)),
    span(`${venue.clockOffsetMs > 0 ? '+' : ''}${venue.clockOffsetMs} ±${venue.clockErrorMs} ms`, 'dim'),
    span(`${Math.round(venue.openBudgetShare * 100)} %`, venue.openBudgetShare < 0.2 ? 'yellow' : 'dim'),
    span(venue.reason, 'dim'),
  ];
}

function balanceText({ isBalanceOld }: VenueSummary, micro: bigint | undefined): string {
  if (micro === undefined) return '';
  return isBalanceOld === true ? 'unknown' : formatAmount(micro);
}

const CANDIDATE_COLUMNS: readonly Column[] = [
  { title: '              ', align: 'left', sacrifice: 0 },
  { title: 'long / short', align: 'left', sacrifice: 2 },
  { title: 'APR', align: 'right', sacrifice: 0 },
  { title: 'expected', align: 'right', sacrifice: 3 },
  { title: 'verdict', align: 'left', sacrifice: 0 },
  { title: 'because', align: 'left', sacrifice: 1, isText: true },
];

/** The best candidates and what stopped them, then what stopped all of them so far. */
function opportunityLines({ opportunities }: TradingSummary, columns: number): readonly Line[] {
  if (opportunities === undefined) return [[span(' OPPORTUNITIES', 'cyan'), span('  none looked at yet', 'dim')]];
  const best = opportunities.candidates.toSorted((a, b) => b.netAprPct - a.netAprPct).slice(0, CANDIDATES_MAX);
  const rows = best.map((candidate): Line => [
    span(candidate.base),
    span(`${candidate.longVenue} / ${candidate.shortVenue}`),
    span(`${candidate.netAprPct.toFixed(1)} %`),
    span(candidate.expectedValueQuote.toFixed(4), 'dim'),
    span(candidate.verdict, candidate.verdict === 'ENTER' ? 'green' : 'yellow'),
    span(candidate.detail, 'dim'),
  ]);
  const refusals = topRefusals(opportunities.refusals);
  return [
    ...section('opportunities', table(CANDIDATE_COLUMNS, rows, columns)),
    ...(refusals === '' ? [] : [[span('  refused so far: ', 'dim'), span(refusals, 'dim')]]),
  ];
}

/** Returns the gates that refused most, with how often. */
export function topRefusals(refusals: Readonly<Record<string, number>>): string {
  return Object.entries(refusals)
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .slice(0, REFUSALS_MAX)
    .map(([gate, count]) => `${gate} ${formatCount(count)}`)
    .join(', ');
}

const THREAD_COLUMNS: readonly Column[] = [
  { title: '         ', align: 'left', sacrifice: 0 },
  { title: 'lag p50', align: 'right', sacrifice: 3 },
  { title: 'p99', align: 'right', sacrifice: 0 },
  { title: 'max', align: 'right', sacrifice: 2 },
  { title: 'heap', align: 'right', sacrifice: 4 },
  { title: 'actors', align: 'right', sacrifice: 2 },
  { title: 'queued', align: 'right', sacrifice: 2 },
  { title: 'life', align: 'right', sacrifice: 5 },
  { title: 'note', align: 'left', sacrifice: 1, isText: true },
];

function threadLines(snapshot: SystemSnapshot, columns: number): readonly Line[] {
  const rows = snapshot.threads.map((thread) => threadCells(thread, snapshot));
  const restarts = restartsOf(snapshot);
  const notRunning = snapshot.actors
    .filter((actor) => actor.status !== 'running')
    .map((actor) => `${actor.path} ${actor.status}`);
  return [
    ...section('threads', table(THREAD_COLUMNS, rows, columns)),
    [
      span('  restarts ', 'dim'),
      span(
        `${restarts.actors} of actors, ${restarts.threads} of threads`,
        restarts.actors + restarts.threads > 0 ? 'yellow' : 'dim',
      ),
      span('   dead letters ', 'dim'),
      span(formatCount(snapshot.deadLetters.total), 'dim'),
      ...(notRunning.length === 0 ? [] : [span(`   ${notRunning.join(', ')}`, 'yellow')]),
    ],
  ];
}

function threadCells(thread: ThreadSnapshot, { actors }: SystemSnapshot): Line {
  const own = actors.filter((actor) => actor.thread === thread.name);
  const lag = (ms: number | undefined): Span =>
    ms === undefined
      ? span('')
      : span(`${ms.toFixed(1)} ms`, ms >= LAG_FAULT_MS ? 'red' : ms >= LAG_WARN_MS ? 'yellow' : 'plain');
  const note = [
    ...(thread.status === 'running' ? [] : [thread.status]),
    ...(thread.stale ? ['did not answer'] : []),
    ...(thread.lastFailure === undefined ? [] : [thread.lastFailure]),
  ].join(', ');
  return [
    span(thread.name, thread.status === 'running' ? 'plain' : 'red'),
    lag(thread.loopDelay?.p50Ms),
    lag(thread.loopDelay?.p99Ms),
    lag(thread.loopDelay?.maxMs),
    span(thread.heapUsedBytes === undefined ? '' : `${Math.round(thread.heapUsedBytes / 1_048_576)} MB`, 'dim'),
    span(String(own.length), 'dim'),
    span(formatCount(own.reduce((sum, actor) => sum + actor.mailbox.depthTotal, 0)), 'dim'),
    span(String(thread.incarnation), thread.incarnation > 1 ? 'yellow' : 'dim'),
    span(note, 'yellow'),
  ];
}

/** Returns how often actors were started again, and threads. */
export function restartsOf({ actors, threads }: SystemSnapshot): { readonly actors: number; readonly threads: number } {
  return {
    actors: actors.reduce((sum, actor) => sum + actor.restarts, 0),
    threads: threads.reduce((sum, thread) => sum + Math.max(0, thread.incarnation - 1), 0),
  };
}
