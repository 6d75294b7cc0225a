/** The journal: its rows, newest first, and what a symbol looked like at any of them. Browser. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Badge, Data, Money, Panel, Pending, Table, Tile } from '../parts.tsx';
import { usePoll } from '../session.ts';
import { moment, money, number } from '../text.ts';
import type { AtRow, Rows, Summary } from '../wire.ts';

const PAGE_ROWS = 100;
const ROW_TYPES = [
  'order-planned',
  'order-event',
  'fill',
  'funding',
  'funding-expected',
  'pair-state',
  'pair-statistics',
  'adjust',
  'leg-reduction',
  'engine-state',
  'intent',
  'config',
  'boot',
];

type Row = Rows['rows'][number];

/** The address is `#/journal`, `#/journal/BTC` or `#/journal/BTC/1234`: the rows of a symbol, and the symbol as it was at row 1234. */
export function JournalPage(props: { readonly rest: string; readonly summary: Summary }): JSX.Element {
  const [base = '', at] = props.rest.split('/');
  const [type, setType] = useState('');
  const [before, setBefore] = useState<number>();
  const query = new URLSearchParams({
    limit: `${PAGE_ROWS}`,
    ...(base === '' ? {} : { correlation: base }),
    ...(type === '' ? {} : { type }),
    ...(before === undefined ? {} : { before: `${before}` }),
  });
  // A page of the past does not change.
  const { data, failure } = usePoll<Rows>(`/debug/journal?${query.toString()}`, before === undefined ? 2_000 : 0);
  const bases = (props.summary.trading?.pairs ?? []).map((pair) => pair.base);
  const oldest = data?.rows.at(-1)?.sequence;
  return (
    <>
      <h1>Journal</h1>
      <div class="buttons">
        <label>
          Symbol{' '}
          <select
            value={base}
            onChange={(event) => {
              location.hash = `#/journal/${event.currentTarget.value}`;
              setBefore(undefined);
            }}
          >
            <option value="">all rows</option>
            {bases.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <label>
          Type{' '}
          <select
            value={type}
            onChange={(event) => {
              setType(event.currentTarget.value);
              setBefore(undefined);
            }}
          >
            <option value="">every type</option>
            {ROW_TYPES.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
      </div>
      {at === undefined || base === '' ? null : <AtRowPanel base={base} at={Number(at)} />}
      <Panel title="Rows" note={before === undefined ? 'newest first' : `before row ${before}`} isWide>
        {data === undefined ? <Pending failure={failure} /> : <RowTable rows={data.rows} base={base} />}
        <div class="buttons">
          <button type="button" disabled={before === undefined} onClick={() => setBefore(undefined)}>
            Newest
          </button>
          <button
            type="button"
            disabled={oldest === undefined || (data?.rows.length ?? 0) < PAGE_ROWS}
            onClick={() => setBefore(oldest)}
          >
            Older
          </button>
        </div>
      </Panel>
    </>
  );
}

/** Rows with their content folded away, and the way to their moment. */
export function RowTable(props: { readonly rows: readonly Row[]; readonly base: string }): JSX.Element {
  return (
    <Table
      caption="Journal rows"
      rows={props.rows}
      keyOf={({ sequence }) => sequence ?? 0}
      empty="No row."
      folds
      columns={[
        {
          title: 'Row',
          isNumber: true,
          cell: ({ sequence, correlation }) => {
            const base = props.base === '' ? correlation : props.base;
            return base === '' ? (
              sequence
            ) : (
              <a href={`#/journal/${encodeURIComponent(base)}/${sequence}`}>{sequence}</a>
            );
          },
        },
        { title: 'At', cell: ({ atMs }) => <time>{moment(atMs)}</time> },
        { title: 'Type', cell: ({ type }) => type },
        { title: 'Writer', isExtra: true, cell: ({ actor }) => actor },
        {
          title: 'What',
          isWhole: true,
          cell: ({ payload, type }) => (
            <details>
              <summary>{gist(type, payload)}</summary>
              <Data value={payload} />
            </details>
          ),
        },
      ]}
    />
  );
}

/** The few members of a payload that tell a reader what happened. */
function gist(type: string, payload: Row['payload']): string {
  const of = (value: unknown): Readonly<Record<string, unknown>> =>
    typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  const words = (values: readonly unknown[]): string =>
    values.filter((value) => typeof value === 'string' || typeof value === 'number').join(' ');
  const micro = (value: unknown): string | undefined =>
    typeof value === 'string' && /^-?\d+$/.test(value) ? money(value, true) : undefined;
  const event = of(payload['event']);
  const order = of(payload['order']);
  const pair = of(payload['pair']);
  switch (type) {
    case 'fill': {
      const fill = of(event['fill']);
      return words([event['venue'], fill['side'], fill['lots'], 'lots at tick', fill['priceTicks']]);
    }
    case 'funding': {
      const payment = of(event['payment']);
      return words([event['venue'], event['symbol'], micro(payment['amountMicro'])]);
    }
    case 'funding-expected': {
      const expected = of(payload['expected']);
      return words([expected['leg'], micro(expected['expectedMicro'])]);
    }
    case 'pair-statistics': {
      const { pairId, exitReason, netMicro } = of(payload['statistics']);
      return words([pairId, exitReason, 'net', micro(netMicro)]);
    }
    case 'intent':
      return words([payload['pairId'], payload['kind'], payload['reason']]);
    case 'boot':
      return words(['life', payload['boot']]);
    case 'order-event':
      return words([event['venue'], event['clientOrderId'], event['status'], event['reason']]);
    case 'order-planned':
      return words([order['venue'], order['purpose'], order['side'], order['lots'], 'lots', order['clientOrderId']]);
    case 'pair-state':
      return words([pair['pairId'], pair['phase'], pair['reason']]);
    case 'engine-state':
      return words([payload['state'], payload['reason']]);
    default:
      return Object.keys(payload).join(', ');
  }
}

function AtRowPanel(props: { readonly base: string; readonly at: number }): JSX.Element {
  const { base, at } = props;
  const { data, failure } = usePoll<AtRow>(`/debug/journal/at/${encodeURIComponent(base)}?row=${at}`, 0);
  const link = (row: number | undefined, word: string): JSX.Element =>
    row === undefined ? (
      <span class="note">{word}</span>
    ) : (
      <a href={`#/journal/${encodeURIComponent(base)}/${row}`}>{word}</a>
    );
  return (
    <Panel
      title={`${base} as of row ${at}`}
      note={
        <>
          {link(data?.previous, '← earlier')} {link(data?.next, 'later →')}
        </>
      }
      isWide
    >
      {data === undefined ? (
        <Pending failure={failure} />
      ) : (
        <>
          <div class="tiles small">
            <Tile
              name="Pair"
              value={data.pair === undefined ? 'none' : <Badge word={data.pair.phase} />}
              note={data.pair?.pairId}
            />
            <Tile name="At" value={moment(data.atMs)} note={`${number(data.rowsFolded, 0)} rows folded`} />
            <Tile name="By price" value={<Money micro={data.pairBook?.priceMicro} />} />
            <Tile
              name="Funding"
              value={<Money micro={data.pairBook?.fundingMicro} />}
              note={`${data.pairBook?.fundingPayments ?? 0} payments`}
            />
            <Tile name="Fees" value={<Money micro={data.pairBook?.feesMicro} />} />
          </div>
          <Table
            caption="Positions at that row"
            rows={data.positions}
            keyOf={({ leg }) => leg}
            empty="No position."
            columns={[
              { title: 'Leg', cell: ({ leg }) => leg },
              { title: 'Lots', isNumber: true, cell: ({ signedLots }) => number(signedLots, 0) },
              { title: 'Cost', isNumber: true, cell: ({ costMicro }) => <Money micro={costMicro} isPlain /> },
            ]}
          />
          <Table
            caption="Orders at that row"
            rows={data.orders}
            keyOf={({ clientOrderId }) => clientOrderId}
            empty="The pair had no order yet."
            columns={[
              { title: 'Order', cell: ({ clientOrderId }) => clientOrderId },
              { title: 'Leg', cell: ({ leg }) => leg },
              { title: 'Purpose', cell: ({ purpose }) => purpose },
              { title: 'Status', cell: ({ status }) => <Badge word={status} /> },
              { title: 'Filled', isNumber: true, cell: ({ filledLots, lots }) => `${filledLots} of ${lots}` },
            ]}
          />
        </>
      )}
    </Panel>
  );
}
