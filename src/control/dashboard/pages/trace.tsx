/** One causal trace, hop by hop, each where it began and as long as it took. Browser. */
import type { JSX } from 'preact';
import { Panel, Pending, Table } from '../parts.tsx';
import { usePoll } from '../session.ts';
import { latency } from '../text.ts';
import type { TraceView } from '../wire.ts';

export function TracePage(props: { readonly id: string }): JSX.Element {
  const { data, failure } = usePoll<TraceView>(`/debug/trace/${encodeURIComponent(props.id)}`, 5_000);
  if (data === undefined) return <Pending failure={failure} />;
  const whole = Math.max(data.durationMs, 0.001);
  const events = [
    ...data.spans.map((span) => ({
      ...span,
      atMs: span.startedAtMs,
      tookMs: span.endedAtMs - span.startedAtMs,
      step: span.type,
    })),
    ...data.marks.map((mark) => ({ ...mark, tookMs: undefined, queuedAtMs: mark.atMs, from: '' })),
  ].toSorted((a, b) => a.atMs - b.atMs);
  return (
    <>
      <h1>Trace {data.names.join(', ') || data.traceId}</h1>
      <p class="why">
        {latency(data.durationMs)} over {data.threads.join(' → ')}
      </p>
      <Panel title="Hops" note="times since its first message" isWide>
        <Table
          caption="Hops"
          rows={events}
          keyOf={(event) => `${event.path}${event.step}${event.atMs}`}
          empty="No hop is kept any more."
          columns={[
            { title: 'At', isNumber: true, cell: ({ atMs }) => latency(atMs - data.beganAtMs) },
            { title: 'Thread', isExtra: true, cell: ({ thread }) => thread },
            { title: 'Actor', cell: ({ path }) => <a href={`#/actor/${path}`}>{path}</a> },
            {
              title: 'Step',
              cell: (event) => (
                <>
                  {event.step} {'about' in event && event.about !== '' ? <span class="note">{event.about}</span> : null}
                </>
              ),
            },
            {
              title: 'Waited',
              isNumber: true,
              isExtra: true,
              cell: ({ atMs, queuedAtMs }) => (atMs === queuedAtMs ? '' : latency(atMs - queuedAtMs)),
            },
            { title: 'Took', isNumber: true, cell: ({ tookMs }) => (tookMs === undefined ? '' : latency(tookMs)) },
            {
              title: 'When',
              isExtra: true,
              cell: ({ atMs, tookMs = 0 }) => (
                <svg class="span" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
                  <rect
                    x={((atMs - data.beganAtMs) / whole) * 100}
                    width={Math.max(0.6, (tookMs / whole) * 100)}
                    height="6"
                  />
                </svg>
              ),
            },
          ]}
        />
      </Panel>
    </>
  );
}
