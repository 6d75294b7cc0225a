/** How it stands: engine, equity, funding, exposure, pairs, what does not add up. Browser. */
import type { JSX } from 'preact';
import { Badge, Money, Panel, Table, Tile } from '../parts.tsx';
import type { Column } from '../parts.tsx';
import { ActiveAlerts } from './alerts.tsx';
import { History } from './history.tsx';
import { duration, money, number, percent, signStyle, sumMicro } from '../text.ts';
import type { Pair, Summary, Trading } from '../wire.ts';

export function OverviewPage(props: { readonly summary: Summary }): JSX.Element {
  const { summary } = props;
  const { trading } = summary;
  if (trading === undefined) return <p class="empty">The observer has not reported yet.</p>;
  return (
    <>
      <h1 class="hidden">Overview</h1>
      <Tiles summary={summary} trading={trading} />
      <Broken trading={trading} />
      <Panel title="Pairs" isWide>
        <Table
          caption="Pairs"
          columns={pairColumns(summary.nowMs)}
          rows={trading.pairs}
          keyOf={({ base }) => base}
          empty="No symbol is configured."
          folds
        />
      </Panel>
      <div class="columns">
        <Panel title="Result and funding" note="quote">
          <History
            label="Result and funding, quote"
            lines={[
              { metric: 'net_result_quote', name: 'net', colour: '--good' },
              { metric: 'net_funding_quote', name: 'funding', colour: '--accent' },
            ]}
            format={(value) => number(value, 2)}
          />
        </Panel>
        <Panel title="Alerts" note={<a href="#/alerts">all</a>}>
          <ActiveAlerts />
        </Panel>
      </div>
      <Panel title="Closed pairs" note="newest first" isWide>
        <ClosedPairs trading={trading} />
      </Panel>
    </>
  );
}

function Tiles(props: { readonly summary: Summary; readonly trading: Trading }): JSX.Element {
  const { summary, trading } = props;
  const { totals, engine, venues, pairs } = trading;
  const equity = sumMicro([
    ...venues.map(({ walletMicro }) => walletMicro),
    ...pairs.map(({ views }) => views?.markMicro),
  ]);
  const exposure = pairs.reduce((sum, pair) => sum + pair.exposureQuoteSec, 0);
  const distances = pairs.flatMap(({ liquidationDistance }) =>
    liquidationDistance === undefined ? [] : [liquidationDistance],
  );
  return (
    <div class="tiles">
      <Tile
        name="Engine"
        value={<Badge word={engine?.state ?? 'unknown'} />}
        note={summary.readiness.ready ? (engine?.reason ?? '') : summary.readiness.reasons.join(', ')}
      />
      <Tile name="Equity, quote" value={money(equity)} note={`${venues.length} accounts, open legs at their marks`} />
      <Tile
        name="Net result"
        value={money(totals.netMicro, true)}
        tone={signStyle(totals.netMicro)}
        note="with open pairs closed now"
      />
      <Tile
        name="Funding"
        value={money(totals.fundingMicro, true)}
        tone={signStyle(totals.fundingMicro)}
        note="booked since the journal began"
      />
      <Tile
        name="Open"
        value={`${totals.openPairs}`}
        note={`${money(totals.openNotionalMicro)} notional, ${totals.liveOrders} live orders`}
      />
      <Tile name="Exposure clock" value={`${number(exposure, 1)} q·s`} note="unhedged notional × time" />
      <Tile
        name="Nearest liquidation"
        value={distances.length === 0 ? '–' : percent(Math.min(...distances), 1)}
        note="away from the mark, worst leg"
      />
      <Tile
        name="Books"
        value={booksWord(trading)}
        tone={(trading.identities?.broken.length ?? 0) > 0 ? 'bad' : ''}
        note={`${number(trading.identities?.comparisons, 0)} comparisons`}
      />
    </div>
  );
}

function booksWord({ identities }: Trading): string {
  if (identities === undefined || !identities.isCaughtUp) return 'being read';
  return identities.broken.length === 0 ? 'exact' : `${identities.broken.length} broken`;
}

/** What does not add up comes before everything else: nothing on the page can be believed while there is one. */
function Broken(props: { readonly trading: Trading }): JSX.Element | null {
  const broken = props.trading.identities?.broken ?? [];
  if (broken.length === 0) return null;
  return (
    <ul class="broken" role="alert">
      {broken.map(({ identity, subject, expected, got, isAcknowledged }) => (
        <li key={`${identity}${subject}`}>
          <Badge word={isAcknowledged ? 'seen' : 'broken'} /> {identity} {subject}: expected {expected}, got {got}
        </li>
      ))}
    </ul>
  );
}

/** A pair that holds something or is about to. */
export function isActive({ phase }: Pair): boolean {
  return !['IDLE', 'CLOSED', 'FAILED'].includes(phase);
}

function pairColumns(nowMs: number): readonly Column<Pair>[] {
  const active =
    (cell: (pair: Pair) => JSX.Element | string): ((pair: Pair) => JSX.Element | string) =>
    (pair) =>
      isActive(pair) ? cell(pair) : '·';
  return [
    { title: 'Symbol', cell: ({ base }) => <a href={`#/pair/${encodeURIComponent(base)}`}>{base}</a> },
    { title: 'Phase', cell: ({ phase }) => <Badge word={phase} /> },
    {
      title: 'Long / short',
      cell: active(({ long, short }) => `${long?.venue ?? '–'} / ${short?.venue ?? '–'}`),
    },
    { title: 'Notional', isNumber: true, cell: active(({ notionalMicro }) => money(notionalMicro)) },
    {
      title: 'Held',
      isNumber: true,
      isExtra: true,
      cell: active((pair) => (pair.openedAtMs > 0 ? duration(nowMs - pair.openedAtMs) : '·')),
    },
    { title: 'Funding', isNumber: true, cell: active(({ fundingMicro }) => <Money micro={fundingMicro} />) },
    { title: 'Fees', isNumber: true, isExtra: true, cell: active(({ feesMicro }) => <Money micro={feesMicro} />) },
    {
      title: 'If closed now',
      isNumber: true,
      cell: active((pair) => (
        <Money micro={pair.executableMicro ?? sumMicro([pair.realisedMicro, pair.feesMicro, pair.fundingMicro])} />
      )),
    },
    { title: 'Closed', isNumber: true, isExtra: true, cell: ({ closedPairs }) => closedPairs },
    { title: 'Sum', isNumber: true, cell: ({ closedNetMicro }) => <Money micro={closedNetMicro} /> },
    { title: 'Why', isWhole: true, cell: ({ reason }) => <span class="why">{reason}</span> },
  ];
}

function ClosedPairs(props: { readonly trading: Trading }): JSX.Element {
  const rows = [...(props.trading.identities?.closedPairs ?? [])].reverse().slice(0, 20);
  return (
    <Table
      caption="Closed pairs"
      rows={rows}
      keyOf={({ pairId }) => pairId}
      empty="None yet."
      folds
      columns={[
        { title: 'Pair', cell: ({ pairId, base }) => <a href={`#/pair/${encodeURIComponent(base)}`}>{pairId}</a> },
        { title: 'Reason', cell: ({ exitReason }) => exitReason },
        { title: 'Held', isNumber: true, cell: ({ heldMs }) => duration(heldMs) },
        {
          title: 'Expected',
          isNumber: true,
          isExtra: true,
          cell: ({ expectedValueQuote }) => number(expectedValueQuote),
        },
        { title: 'Realised', isNumber: true, cell: ({ netMicro }) => <Money micro={netMicro} /> },
        { title: 'Price', isNumber: true, isExtra: true, cell: ({ priceMicro }) => <Money micro={priceMicro} /> },
        { title: 'Funding', isNumber: true, cell: ({ fundingMicro }) => <Money micro={fundingMicro} /> },
        { title: 'Fees', isNumber: true, isExtra: true, cell: ({ feesMicro }) => <Money micro={feesMicro} /> },
        {
          title: 'Payments',
          isNumber: true,
          isExtra: true,
          cell: ({ payments, paymentsExpected }) => `${payments} of ${paymentsExpected}`,
        },
        {
          title: 'Hedge',
          isNumber: true,
          isExtra: true,
          cell: ({ hedgeLatencyMs }) => (hedgeLatencyMs.length === 0 ? '–' : duration(Math.max(...hedgeLatencyMs))),
        },
      ]}
    />
  );
}
