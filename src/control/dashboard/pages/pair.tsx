/** One symbol: both legs, funding, the three views of its result, and what happened to it, row by row. Browser. */
import type { JSX } from 'preact';
import { ActButton, clearPair, exitPair } from '../acts.tsx';
import { Badge, Money, Panel, Pending, Table, Tile } from '../parts.tsx';
import { usePoll } from '../session.ts';
import { duration, moment, money, number, percent, sumMicro } from '../text.ts';
import type { Pair, Rows, Summary, Why } from '../wire.ts';
import { CandidateTable } from './opportunities.tsx';
import { isActive } from './overview.tsx';
import { RowTable } from './journal.tsx';

const TIMELINE_ROWS = 60;

export function PairPage(props: { readonly base: string; readonly summary: Summary }): JSX.Element {
  const { base, summary } = props;
  const pair = summary.trading?.pairs.find((one) => one.base === base);
  if (pair === undefined) return <p class="empty">The engine trades no symbol “{base}”.</p>;
  return (
    <>
      <h1>
        {base} <Badge word={pair.phase} /> <span class="note">{pair.pairId}</span>
      </h1>
      <p class="why">{pair.reason}</p>
      <div class="buttons">
        {isActive(pair) ? <ActButton act={exitPair(base)}>Close this pair</ActButton> : null}
        {pair.entryBlock === undefined && pair.suspectPayments === undefined ? null : (
          <ActButton act={clearPair(base)}>Let it be entered again</ActButton>
        )}
        <a class="button" href={`#/actor/position/${base}`}>
          Its actor
        </a>
        <a class="button" href={`#/journal/${base}`}>
          Its journal
        </a>
      </div>
      {pair.entryBlock === undefined ? null : <p class="banner">{pair.entryBlock}</p>}
      <Legs pair={pair} nowMs={summary.nowMs} />
      <div class="columns">
        <Views pair={pair} />
        <Funding pair={pair} nowMs={summary.nowMs} />
      </div>
      <Candidates base={base} />
      <Timeline base={base} />
    </>
  );
}

function Legs(props: { readonly pair: Pair; readonly nowMs: number }): JSX.Element {
  const { pair, nowMs } = props;
  const legs = [
    { side: 'long', leg: pair.long },
    { side: 'short', leg: pair.short },
  ];
  return (
    <Panel title="Legs" isWide>
      <Table
        caption="Legs"
        rows={legs.flatMap(({ side, leg }) => (leg === undefined ? [] : [{ side, leg }]))}
        keyOf={({ side }) => side}
        empty="No pair has been opened on this symbol yet."
        folds
        columns={[
          { title: 'Side', cell: ({ side }) => side },
          { title: 'Account', cell: ({ leg }) => `${leg.venue}:${leg.account}` },
          { title: 'Instrument', isExtra: true, cell: ({ leg }) => leg.symbol },
          { title: 'Lots', isNumber: true, cell: ({ leg }) => number(leg.signedLots, 0) },
          {
            title: 'By the venue',
            isNumber: true,
            cell: ({ leg }) => (
              <span class={leg.reportedLots === undefined || leg.reportedLots === leg.signedLots ? '' : 'warn'}>
                {number(leg.reportedLots, 0)}
              </span>
            ),
          },
          {
            title: 'Average price',
            isNumber: true,
            cell: ({ leg }) => (leg.averagePrice === 0 ? '–' : number(leg.averagePrice, 6)),
          },
          { title: 'Cost', isNumber: true, isExtra: true, cell: ({ leg }) => money(leg.costMicro) },
          {
            title: 'Next payment',
            isNumber: true,
            cell: ({ leg: { nextFunding } }) =>
              nextFunding === undefined ? '–' : <Money micro={nextFunding.expectedMicro} />,
          },
          {
            title: 'Due',
            isNumber: true,
            cell: ({ leg: { nextFunding } }) =>
              nextFunding === undefined ? '–' : inTime(nextFunding.settleAtMs - nowMs),
          },
        ]}
      />
    </Panel>
  );
}

function Views(props: { readonly pair: Pair }): JSX.Element {
  const { views, executableMicro, realisedMicro, feesMicro } = props.pair;
  return (
    <Panel title="Three views of the result" note="quote">
      <div class="tiles small">
        <Tile name="A, by marks" value={<Money micro={views?.markMicro} />} note="what the venues show" />
        <Tile name="B, one price" value={<Money micro={views?.unifiedMicro} />} note="the strategy's own" />
        <Tile name="C, closed now" value={<Money micro={executableMicro} />} note="all in, by the books" />
        <Tile name="Realised" value={<Money micro={realisedMicro} />} note="by price" />
        <Tile name="Fees" value={<Money micro={feesMicro} />} />
      </div>
    </Panel>
  );
}

function Funding(props: { readonly pair: Pair; readonly nowMs: number }): JSX.Element {
  const { pair, nowMs } = props;
  const next = [pair.long?.nextFunding, pair.short?.nextFunding];
  const soonest = Math.min(...next.map((one) => one?.settleAtMs ?? Number.POSITIVE_INFINITY));
  return (
    <Panel title="Funding and danger" note="quote">
      <div class="tiles small">
        <Tile name="Received" value={<Money micro={pair.fundingMicro} />} note={`${pair.fundingPayments} payments`} />
        <Tile
          name="Next"
          value={
            next.every((one) => one === undefined) ? (
              '–'
            ) : (
              <Money micro={sumMicro(next.map((one) => one?.expectedMicro))} />
            )
          }
          note={Number.isFinite(soonest) ? `${inTime(soonest - nowMs)}, as predicted` : 'no rate yet'}
        />
        <Tile name="Owed" value={<Money micro={pair.owedMicro} />} note="expected, not received" />
        <Tile name="Liquidation" value={percent(pair.liquidationDistance, 1)} note="from the mark, nearer leg" />
        <Tile name="Exposure" value={`${number(pair.exposureQuoteSec, 1)} q·s`} note="unhedged × time" />
        <Tile
          name="Held"
          value={pair.openedAtMs > 0 && isActive(pair) ? duration(nowMs - pair.openedAtMs) : '–'}
          note={pair.openedAtMs > 0 ? `since ${moment(pair.openedAtMs)}` : ''}
        />
      </div>
    </Panel>
  );
}

/** Settled is not yet booked: a moment that has passed stays the next one until its payment is known. */
function inTime(ms: number): string {
  return ms <= 0 ? 'now' : `in ${duration(ms)}`;
}

function Candidates(props: { readonly base: string }): JSX.Element {
  const { data, failure } = usePoll<Why>(`/debug/why/${encodeURIComponent(props.base)}`, 2_000);
  return (
    <Panel title="What the strategy says of it now" isWide>
      {data === undefined ? (
        <Pending failure={failure} />
      ) : (
        <CandidateTable candidates={data.bases.flatMap(({ candidates }) => candidates)} />
      )}
    </Panel>
  );
}

function Timeline(props: { readonly base: string }): JSX.Element {
  const path = `/debug/journal?correlation=${encodeURIComponent(props.base)}&limit=${TIMELINE_ROWS}`;
  const { data, failure } = usePoll<Rows>(path, 2_000);
  return (
    <Panel title="Timeline" note="newest first; orders, fills, payments, changes of state" isWide>
      {data === undefined ? <Pending failure={failure} /> : <RowTable rows={data.rows} base={props.base} />}
    </Panel>
  );
}
