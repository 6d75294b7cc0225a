/** Tells the running engine in single lines, for output that is no terminal: what changed, and now and then how things stand. Pure; main thread. */
import type { PairSummary, TradingSummary } from '../../actors/observer.ts';
import type { SummaryInput } from './terminal-view.ts';
import { restartsOf } from './summary-view.ts';
import { formatAmount, formatMoney, sanitize } from './terminal-text.ts';

/** Returns how things stand, in one line. */
export function standingLine(input: SummaryInput): string {
  const { trading, snapshot, readiness } = input;
  const restarts = restartsOf(snapshot);
  const lag = snapshot.threads
    .filter((thread) => thread.loopDelay !== undefined)
    .map((thread) => `${thread.name} ${thread.loopDelay?.p99Ms.toFixed(1)}`)
    .join(' ');
  const parts = [
    readiness.ready ? 'READY' : `STARTING (${readiness.reasons.join(', ')})`,
    ...(trading?.engine === undefined ? [] : [trading.engine.state]),
    ...(trading === undefined
      ? []
      : [
          `open ${trading.totals.openPairs} at ${formatAmount(trading.totals.openNotionalMicro)}`,
          `funding ${formatMoney(trading.totals.fundingMicro)}`,
          `net ${formatMoney(trading.totals.netMicro)}`,
          `closed ${trading.totals.closedPairs}`,
          ...booksText(trading.identities),
        ]),
    `lag p99 ms: ${lag}`,
    `restarts ${restarts.actors + restarts.threads}`,
    input.address,
  ];
  return sanitize(parts.join(' | '));
}

function booksText(identities: TradingSummary['identities']): readonly string[] {
  if (identities?.isCaughtUp !== true) return [];
  return [identities.broken.length === 0 ? 'books exact' : `books ${identities.broken.length} BROKEN`];
}

/** Returns one line for each thing that a reader of the output would want to know about, oldest news first. */
export function changeLines(before: SummaryInput | undefined, after: SummaryInput): readonly string[] {
  const lines: string[] = [];
  if (before === undefined && after.journal.type === 'tail-lost') lines.push(`journal: ${after.journal.detail}`);
  const engine = after.trading?.engine;
  if (engine !== undefined && engine.state !== before?.trading?.engine?.state) {
    lines.push(`engine ${engine.state}${engine.reason === '' ? '' : ` (${engine.reason})`}`);
  }
  const knownBroken = before?.trading?.identities?.broken ?? [];
  for (const { identity, subject, expected, got } of after.trading?.identities?.broken ?? []) {
    if (knownBroken.some((known) => known.identity === identity && known.subject === subject)) continue;
    lines.push(`BROKEN ${identity} ${subject}: expected ${expected}, got ${got}`);
  }
  for (const venue of after.trading?.venues ?? []) {
    const last = before?.trading?.venues.find(
      ({ venue: name, account }) => name === venue.venue && account === venue.account,
    );
    if (last?.status === venue.status) continue;
    lines.push(`${venue.venue}:${venue.account} ${venue.status}${venue.reason === '' ? '' : ` (${venue.reason})`}`);
  }
  for (const pair of after.trading?.pairs ?? []) {
    lines.push(
      ...pairLines(
        before?.trading?.pairs.find(({ base }) => base === pair.base),
        pair,
      ),
    );
  }
  const restarts = restartsOf(after.snapshot);
  const restartsBefore = before === undefined ? restarts : restartsOf(before.snapshot);
  if (restarts.actors > restartsBefore.actors)
    lines.push(`restarted ${restarts.actors - restartsBefore.actors} actors`);
  if (restarts.threads > restartsBefore.threads)
    lines.push(`restarted ${restarts.threads - restartsBefore.threads} threads`);
  return lines.map(sanitize);
}

function pairLines(before: PairSummary | undefined, pair: PairSummary): readonly string[] {
  const lines: string[] = [];
  const isSame = before?.pairId === pair.pairId;
  const paidBefore = isSame ? before.fundingPayments : 0;
  const isFound = before === undefined || before.phase === 'RECOVERING';
  if (!isFound && pair.fundingPayments > paidBefore) {
    const booked = pair.fundingMicro - (isSame ? before.fundingMicro : 0n);
    lines.push(`${pair.base} funding ${formatMoney(booked)} booked, ${pair.fundingPayments} payments so far`);
  }
  if (before?.phase !== pair.phase && isNews(before, pair)) {
    const legs =
      pair.long === undefined || pair.short === undefined ? '' : `, long ${pair.long.venue}, short ${pair.short.venue}`;
    const result =
      pair.phase === 'CLOSED' ? `, result ${formatMoney(pair.realisedMicro + pair.feesMicro + pair.fundingMicro)}` : '';
    lines.push(`${pair.base} ${pair.phase}${pair.reason === '' ? '' : ` (${pair.reason})`}${legs}${result}`);
  }
  return lines;
}

/** What is found at the start is told only where money is at work; ends of it are told when they come. */
function isNews(before: PairSummary | undefined, { phase }: PairSummary): boolean {
  if (phase === 'IDLE' || phase === 'RECOVERING') return false;
  const isFound = before === undefined || before.phase === 'RECOVERING';
  return !isFound || (phase !== 'CLOSED' && phase !== 'FAILED');
}
