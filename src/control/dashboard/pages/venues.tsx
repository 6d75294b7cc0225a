/** The edge: each venue account's state, clock, limits, circuits and caches, and faults for simulated ones. Browser. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useAsk } from '../acts.tsx';
import { Badge, Bar, Data, Money, Panel, Pending, Table } from '../parts.tsx';
import { usePoll } from '../session.ts';
import { duration, number, percent } from '../text.ts';
import type { Inspection, Limited, Summary, Venue } from '../wire.ts';

export function VenuesPage(props: { readonly summary: Summary }): JSX.Element {
  const { summary } = props;
  const venues = summary.trading?.venues ?? [];
  const limits = usePoll<Limited>('/debug/limits', 2_000);
  // Together, or what came later would push away what came first.
  if (limits.data === undefined) return <Pending failure={limits.failure} />;
  return (
    <>
      <h1>Venues</h1>
      <Panel title="Accounts" isWide>
        <Table
          caption="Venue accounts"
          rows={venues}
          keyOf={({ venue, account }) => `${venue}:${account}`}
          empty="No venue has reported yet."
          folds
          columns={[
            { title: 'Account', cell: ({ venue, account }) => `${venue}:${account}` },
            { title: 'Status', cell: ({ status }) => <Badge word={status} /> },
            {
              title: 'Wallet',
              isNumber: true,
              cell: ({ walletMicro, isBalanceOld }) =>
                isBalanceOld === true ? 'unknown' : <Money micro={walletMicro} isPlain />,
            },
            {
              title: 'Available',
              isNumber: true,
              isExtra: true,
              cell: ({ availableMicro, isBalanceOld }) =>
                isBalanceOld === true ? 'unknown' : <Money micro={availableMicro} isPlain />,
            },
            {
              title: 'Clock offset',
              isNumber: true,
              cell: ({ clockOffsetMs, clockErrorMs }) => `${number(clockOffsetMs, 0)} ± ${number(clockErrorMs, 0)} ms`,
            },
            { title: 'Entries', cell: ({ entriesAllowed }) => (entriesAllowed ? 'allowed' : 'held back') },
            {
              title: 'Budget used',
              cell: ({ openBudgetShare, venue }) => (
                <Bar share={1 - openBudgetShare} label={`${venue}, budget for opening`} />
              ),
            },
            { title: 'Why', isWhole: true, cell: ({ reason }) => <span class="why">{reason}</span> },
          ]}
        />
      </Panel>
      <Limits limited={limits.data} />
      <div class="columns">
        <Circuits limited={limits.data} />
        <Caches limited={limits.data} />
      </div>
      {venues.map((venue) => (
        <Connector key={`${venue.venue}:${venue.account}`} venue={venue} summary={summary} />
      ))}
    </>
  );
}

function Limits(props: { readonly limited: Limited }): JSX.Element {
  const rows = props.limited.accounts.flatMap(({ account, limits }) => limits.map((limit) => ({ account, ...limit })));
  return (
    <Panel title="Limits" note="of the venues, as they are counted here" isWide>
      <Table
        caption="Limits"
        rows={rows}
        keyOf={({ account, name }) => `${account} ${name}`}
        empty="No connector answers."
        columns={[
          { title: 'Account', cell: ({ account }) => account },
          { title: 'Limit', cell: ({ name }) => name },
          { title: 'Counted by', isExtra: true, cell: ({ per }) => per },
          {
            title: 'Most',
            isNumber: true,
            cell: ({ max, windowMs }) => `${number(max, 0)} in ${duration(windowMs)}`,
          },
          {
            title: 'Used',
            cell: ({ usedRatio, account, name }) => <Bar share={usedRatio} label={`${account}, ${name}`} />,
          },
          {
            title: 'In flight',
            isNumber: true,
            isExtra: true,
            cell: ({ inFlight, inFlightMax }) =>
              inFlightMax === undefined ? inFlight : `${inFlight} of ${inFlightMax}`,
          },
          { title: 'By choice', isNumber: true, isExtra: true, cell: ({ usable }) => percent(usable) },
          { title: 'Refused', isNumber: true, cell: ({ refusals }) => number(refusals, 0) },
        ]}
      />
    </Panel>
  );
}

/** What fails is left alone for a while: questions, connections, orders, each by a circuit of its own. */
function Circuits(props: { readonly limited: Limited }): JSX.Element {
  const rows = props.limited.accounts.flatMap(({ account, circuits }) =>
    circuits.map((circuit) => ({ account, ...circuit })),
  );
  return (
    <Panel title="Circuit breakers" note="open: what can wait does">
      <Table
        caption="Circuit breakers"
        rows={rows}
        keyOf={({ account, name }) => `${account} ${name}`}
        empty="No connector answers."
        columns={[
          { title: 'Account', cell: ({ account }) => account },
          { title: 'Of', cell: ({ name }) => CIRCUIT_WORDS[name] },
          { title: 'State', cell: ({ status }) => <Badge word={status} /> },
          {
            title: 'Tried again in',
            isNumber: true,
            cell: ({ opensForMs, isLimited }) =>
              opensForMs === 0 ? '·' : `${duration(opensForMs)}${isLimited ? ', limit' : ''}`,
          },
        ]}
      />
    </Panel>
  );
}

const CIRCUIT_WORDS = { rest: 'questions', ws: 'connections', orders: 'orders' } as const;

function Caches(props: { readonly limited: Limited }): JSX.Element {
  const rows = props.limited.accounts.flatMap(({ account, caches }) =>
    Object.entries(caches).map(([source, reads]) => ({ account, source, ...reads })),
  );
  return (
    <Panel title="Caches" note="of answers to questions">
      <Table
        caption="Caches"
        rows={rows}
        keyOf={({ account, source }) => `${account} ${source}`}
        empty="Nothing was asked yet."
        columns={[
          { title: 'Account', cell: ({ account }) => account },
          { title: 'Of', cell: ({ source, isEnabled }) => (isEnabled ? source : `${source}, off`) },
          { title: 'Asked', isNumber: true, cell: ({ misses }) => number(misses, 0) },
          { title: 'Spared', isNumber: true, cell: ({ hits, shared }) => number(hits + shared, 0) },
          {
            title: 'Share',
            isNumber: true,
            cell: ({ hits, shared, misses }) =>
              hits + shared + misses === 0 ? '–' : percent((hits + shared) / (hits + shared + misses)),
          },
          { title: 'Kept', isNumber: true, isExtra: true, cell: ({ entries }) => number(entries, 0) },
        ]}
      />
    </Panel>
  );
}

function Connector(props: { readonly venue: Venue; readonly summary: Summary }): JSX.Element {
  const { venue, summary } = props;
  const path = `connector/${venue.venue}:${venue.account}`;
  const { data, failure } = usePoll<Inspection>(`/debug/actors/${path}`, 2_000);
  const faults = summary.faults[venue.venue] ?? [];
  return (
    <Panel title={`${venue.venue}:${venue.account}`} note={<a href={`#/actor/${path}`}>its actor</a>} isWide>
      {faults.length === 0 ? null : <Faults venue={venue.venue} faults={faults} />}
      {data === undefined ? <Pending failure={failure} /> : <Digest digest={data.digest} />}
    </Panel>
  );
}

/** What the connector shows of itself, without what has a table of its own above. */
function Digest(props: { readonly digest: unknown }): JSX.Element {
  const { digest } = props;
  if (typeof digest !== 'object' || digest === null) return <p class="empty">The connector shows nothing yet.</p>;
  const blocks = Object.entries(digest).filter(([name, value]) => !SHOWN_ABOVE.has(name) && !isNothing(value));
  const plain = blocks.filter(([, value]) => typeof value !== 'object');
  const nested = blocks.filter(([, value]) => typeof value === 'object');
  return (
    <>
      <dl class="facts">
        {plain.map(([name, value]) => (
          <div key={name}>
            <dt>{words(name)}</dt>
            <dd>{String(value)}</dd>
          </div>
        ))}
      </dl>
      <div class="columns">
        {nested.map(([name, value]) => (
          <details key={name}>
            <summary>{words(name)}</summary>
            <Data value={value} />
          </details>
        ))}
      </div>
    </>
  );
}

const SHOWN_ABOVE = new Set(['status', 'reason', 'limits', 'doors']);

function isNothing(value: unknown): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** A member's name as words: `openBudgetShare` is `open budget share`. */
function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function Faults(props: { readonly venue: string; readonly faults: readonly string[] }): JSX.Element {
  const ask = useAsk();
  const [fault, setFault] = useState(props.faults[0] ?? '');
  return (
    <div class="buttons">
      <label>
        Make the simulated venue misbehave{' '}
        <select value={fault} onChange={(event) => setFault(event.currentTarget.value)}>
          {props.faults.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <button
        type="button"
        class="warn"
        onClick={() =>
          ask({
            title: `Inject ${fault}`,
            effect: `The simulated ${props.venue} does what the fault says, once. No real venue is touched.`,
            path: '/control/fault',
            body: { venue: props.venue, fault },
            tone: 'warn',
          })
        }
      >
        Inject
      </button>
    </div>
  );
}
