/** What needs a person: alerts that stand, the newest notices, the rules, and where notices go. Browser. */
import type { JSX } from 'preact';
import { Badge, Panel, Pending, Table } from '../parts.tsx';
import { usePoll } from '../session.ts';
import { duration, moment, number } from '../text.ts';
import type { Alerting } from '../wire.ts';

type Told = Alerting['recent'][number];

export function AlertsPage(): JSX.Element {
  const { data, failure } = usePoll<Alerting>('/debug/alerts', 2_000);
  if (data === undefined) return <Pending failure={failure} />;
  const rules = Object.entries(data.rules);
  return (
    <>
      <h1>Alerts</h1>
      <Panel title="Standing" isWide>
        <ActiveTable alerting={data} />
      </Panel>
      <Panel title="Notices" note="newest first" isWide>
        <Table
          caption="Notices"
          rows={data.recent.toReversed()}
          keyOf={(told) => `${told.rule}${told.type}${told.atMs}${labelText(told)}`}
          empty="Nothing was told yet."
          folds
          columns={[
            { title: 'At', cell: ({ atMs }) => <time>{moment(atMs)}</time> },
            { title: 'State', cell: ({ type, severity }) => <Badge word={type === 'resolved' ? type : severity} /> },
            { title: 'Rule', cell: ({ rule }) => rule },
            { title: 'What', isWhole: true, cell: (told) => <span class="why">{told.text}</span> },
            { title: 'Of', isExtra: true, cell: labelText },
            { title: 'Value', isNumber: true, cell: ({ value }) => number(value) },
            {
              title: 'Limit',
              isNumber: true,
              isExtra: true,
              cell: ({ comparison, limit }) => `${comparison} ${number(limit)}`,
            },
          ]}
        />
      </Panel>
      <div class="columns">
        <Panel title="Rules">
          <Table
            caption="Rules"
            rows={rules}
            keyOf={([name]) => name}
            empty="No rule."
            folds
            columns={[
              { title: 'Rule', cell: ([name]) => name },
              { title: 'Metric', cell: ([, { metric }]) => metric },
              { title: 'When', isNumber: true, cell: ([, rule]) => `${rule.comparison} ${number(rule.threshold, 3)}` },
              { title: 'For', isNumber: true, isExtra: true, cell: ([, { forMs }]) => duration(forMs) },
              { title: 'On', cell: ([, { enabled }]) => (enabled ? 'on' : 'off') },
            ]}
          />
        </Panel>
        <Panel title="Where notices go">
          <Table
            caption="Where notices go"
            rows={data.sinks}
            keyOf={({ name }) => name}
            empty="Nowhere."
            columns={[
              { title: 'Sink', cell: ({ name }) => name },
              { title: 'Waiting', isNumber: true, cell: ({ waiting }) => number(waiting, 0) },
              { title: 'Sent', isNumber: true, cell: ({ sent }) => number(sent, 0) },
              { title: 'Failed', isNumber: true, cell: ({ failed }) => number(failed, 0) },
              { title: 'Dropped', isNumber: true, cell: ({ dropped }) => number(dropped, 0) },
              {
                title: 'Last failure',
                isExtra: true,
                cell: ({ lastFailure }) => <span class="why">{lastFailure}</span>,
              },
            ]}
          />
        </Panel>
      </div>
    </>
  );
}

/** What stands now, for the overview. */
export function ActiveAlerts(): JSX.Element {
  const { data, failure } = usePoll<Alerting>('/debug/alerts', 2_000);
  return data === undefined ? <Pending failure={failure} /> : <ActiveTable alerting={data} />;
}

function ActiveTable(props: { readonly alerting: Alerting }): JSX.Element {
  return (
    <Table
      caption="Alerts"
      rows={props.alerting.active}
      keyOf={(alert) => `${alert.rule}${labelText(alert)}`}
      empty="Nothing needs you."
      folds
      columns={[
        { title: 'Severity', cell: ({ severity }) => <Badge word={severity} /> },
        { title: 'Rule', cell: ({ rule }) => rule },
        {
          title: 'What',
          isWhole: true,
          cell: (alert) => <span class="why">{`${alert.text} ${labelText(alert)}`}</span>,
        },
        { title: 'Value', isNumber: true, cell: ({ value }) => number(value) },
        { title: 'Since', isExtra: true, cell: ({ sinceMs }) => <time>{moment(sinceMs)}</time> },
      ]}
    />
  );
}

function labelText({ labels }: Pick<Told, 'labels'>): string {
  return Object.values(labels).join(' ');
}
