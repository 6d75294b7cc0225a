/** Why it is not trading: each candidate with the first gate that stops it, and how often each gate did. Browser. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Badge, Bar, Panel, Pending, Table } from '../parts.tsx';
import { usePoll } from '../session.ts';
import { duration, number } from '../text.ts';
import type { Why, WhyBase } from '../wire.ts';

type Candidate = WhyBase['candidates'][number];

export function OpportunitiesPage(props: { readonly nowMs: number }): JSX.Element {
  const { data, failure } = usePoll<Why>('/debug/why');
  const [wanted, setWanted] = useState('');
  if (data === undefined) return <Pending failure={failure} />;
  const refusals = Object.entries(data.refusals).toSorted(([, a], [, b]) => b - a);
  const most = refusals[0]?.[1] ?? 1;
  const candidates = data.bases
    .flatMap((one) => one.candidates)
    .filter(({ base }) => base.toLowerCase().includes(wanted.trim().toLowerCase()))
    .toSorted((a, b) => b.netAprPct - a.netAprPct);
  return (
    <>
      <h1>Opportunities</h1>
      <p class="why">
        {data.engine.state}
        {data.engine.reason === '' ? '' : `: ${data.engine.reason}`}.{' '}
        {data.evaluatedAtMs === 0
          ? 'Not evaluated yet.'
          : `Evaluated ${duration(props.nowMs - data.evaluatedAtMs)} ago.`}
      </p>
      <Panel title="The best candidate of each symbol" note="richest first" isWide>
        <label class="filter">
          Symbol <input value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} placeholder="BTC" />
        </label>
        <CandidateTable candidates={candidates} />
      </Panel>
      <Panel title="Refusals since start" note="by gate">
        <Table
          caption="Refusals"
          rows={refusals}
          keyOf={([gate]) => gate}
          empty="None so far."
          columns={[
            { title: 'Gate', cell: ([gate]) => gate },
            { title: 'Refused', isNumber: true, cell: ([, count]) => number(count, 0) },
            { title: 'Against the first', cell: ([gate, count]) => <Bar share={count / most} label={gate} /> },
          ]}
        />
      </Panel>
    </>
  );
}

export function CandidateTable(props: { readonly candidates: readonly Candidate[] }): JSX.Element {
  return (
    <Table
      caption="Candidates"
      rows={props.candidates}
      keyOf={({ base, longVenue, shortVenue }) => `${base} ${longVenue} ${shortVenue}`}
      empty="No candidate: books or rates of two venues are missing."
      folds
      columns={[
        { title: 'Symbol', cell: ({ base }) => <a href={`#/pair/${encodeURIComponent(base)}`}>{base}</a> },
        { title: 'Long / short', cell: ({ longVenue, shortVenue }) => `${longVenue} / ${shortVenue}` },
        { title: 'Net, % a year', isNumber: true, cell: ({ netAprPct }) => number(netAprPct, 1) },
        {
          title: 'Expected value',
          isNumber: true,
          isExtra: true,
          cell: ({ expectedValueQuote }) => number(expectedValueQuote),
        },
        { title: 'Gate', cell: ({ verdict }) => <Badge word={verdict} /> },
        { title: 'Rule and value', isWhole: true, cell: ({ detail }) => <span class="why">{detail}</span> },
      ]}
    />
  );
}
