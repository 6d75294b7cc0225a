/** What needs a person: alerts that stand, and the newest that are over. Browser. */
import type { JSX } from 'preact';
import { Badge, Panel, Pending, Table } from '../parts.tsx';
import { usePoll } from '../session.ts';
import { moment } from '../text.ts';

export interface AlertLine {
  readonly rule: string;
  readonly severity: string;
  readonly state: string;
  readonly text: string;
  readonly atMs: number;
}

interface Alerts {
  readonly alerts: readonly AlertLine[];
}

export function AlertsPage(): JSX.Element {
  return (
    <>
      <h1>Alerts</h1>
      <Panel title="Standing and recent" isWide>
        <AlertList />
      </Panel>
    </>
  );
}

export function AlertList(props: { readonly isBrief?: boolean }): JSX.Element {
  const { data, failure } = usePoll<Alerts>('/debug/alerts', 2_000);
  if (data === undefined) return <Pending failure={failure} />;
  const alerts = props.isBrief === true ? data.alerts.slice(0, 8) : data.alerts;
  return (
    <Table
      caption="Alerts"
      rows={alerts}
      keyOf={({ rule, atMs, state }) => `${rule}${atMs}${state}`}
      empty="Nothing needs you."
      columns={[
        { title: 'State', cell: ({ state, severity }) => <Badge word={state === 'resolved' ? state : severity} /> },
        { title: 'Alert', cell: ({ rule }) => rule },
        { title: 'What', cell: ({ text }) => <span class="why">{text}</span> },
        { title: 'Since', isExtra: true, cell: ({ atMs }) => <time>{moment(atMs)}</time> },
      ]}
    />
  );
}
