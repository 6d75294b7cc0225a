/** The runtime: supervision tree, threads, rings, mailboxes, latencies, traces. Browser. */
import type { JSX } from 'preact';
import { Badge, Bar, Panel, Pending, Table, Tile } from '../parts.tsx';
import { usePoll } from '../session.ts';
import { bytes, latency, number } from '../text.ts';
import type { Node, Supervisor, Thread, Tree } from '../wire.ts';
import { History } from './history.tsx';

interface TraceLine {
  readonly traceId: number;
  readonly names: readonly string[];
  readonly durationMs: number;
  readonly threads: readonly string[];
  readonly spans: number;
  readonly first?: { readonly path: string; readonly type: string };
  readonly last?: { readonly path: string; readonly type: string };
}

export function RuntimePage(): JSX.Element {
  const tree = usePoll<Tree>('/debug/actors');
  const threads = usePoll<{ readonly threads: readonly Thread[] }>('/debug/threads');
  // Both or nothing: what came second would push away what came first.
  if (tree.data === undefined || threads.data === undefined)
    return <Pending failure={tree.failure ?? threads.failure} />;
  return (
    <>
      <h1>Runtime</h1>
      <Actors tree={tree.data} />
      <Threads threads={threads.data.threads} />
      <div class="columns">
        <Panel title="Order placement" note="p99, from the command to the venue's first answer">
          <History
            label="Order placement, p99"
            lines={[{ metric: 'order_placement_latency', name: 'p99', colour: '--accent', perLabel: 'venue' }]}
            format={latency}
          />
        </Panel>
        <Panel title="Event loops" note="p99 of the delay since the start">
          <History
            label="Event-loop delay"
            lines={[{ metric: 'event_loop_delay_ms', name: 'delay', colour: '--warn', perLabel: 'thread' }]}
            format={latency}
          />
        </Panel>
        <Panel title="Evaluation" note="p99 of each part of a cycle">
          <History
            label="Evaluation cycle, p99"
            lines={[
              { metric: 'eval_total', name: 'whole', colour: '--accent' },
              { metric: 'eval_health', name: 'health', colour: '--good' },
              { metric: 'eval_risk', name: 'risk', colour: '--warn' },
              { metric: 'eval_strategy', name: 'strategy', colour: '--violet' },
              { metric: 'eval_intent', name: 'intent', colour: '--bad' },
            ]}
            format={latency}
          />
        </Panel>
        <Panel title="Memory" note="MB">
          <History
            label="Memory"
            lines={[
              { metric: 'system_rss_mb', name: 'resident', colour: '--accent' },
              { metric: 'system_heap_used_mb', name: 'heap', colour: '--good' },
            ]}
            format={(value) => number(value, 0)}
          />
        </Panel>
      </div>
      <Traces />
    </>
  );
}

function Actors(props: { readonly tree: Tree }): JSX.Element {
  const { totals, tree, deadLetters } = props.tree;
  return (
    <>
      <div class="tiles">
        <Tile name="Actors" value={`${totals.running} of ${totals.actors}`} note="running" />
        <Tile name="Restarts" value={totals.restarts} tone={totals.restarts > 0 ? 'warn' : ''} />
        <Tile name="Queued" value={number(totals.queued, 0)} note="messages in all mailboxes" />
        <Tile
          name="Dead letters"
          value={number(deadLetters.total, 0)}
          note={Object.entries(deadLetters.byReason)
            .map(([reason, count]) => `${reason} ${count}`)
            .join(', ')}
        />
      </div>
      <Panel title="Supervision tree" isWide>
        <Table
          caption="Actors"
          rows={tree.flatMap((node) => flatten(node, 0))}
          keyOf={({ node }) => node.path}
          empty="No actor."
          columns={[
            {
              title: 'Actor',
              cell: ({ node, depth }) => (
                <span class="tree" style={{ paddingLeft: `${depth * 1.1}rem` }}>
                  {isSupervisor(node) ? node.path || 'root' : <a href={`#/actor/${node.path}`}>{node.path}</a>}
                </span>
              ),
            },
            { title: 'Status', cell: ({ node }) => <Badge word={node.status} /> },
            { title: 'Thread', isExtra: true, cell: ({ node }) => (isSupervisor(node) ? node.strategy : node.thread) },
            { title: 'Life', isNumber: true, cell: ({ node }) => (isSupervisor(node) ? '' : node.incarnation) },
            {
              title: 'Queued',
              isNumber: true,
              cell: ({ node }) => (isSupervisor(node) ? '' : number(node.mailbox.depthTotal, 0)),
            },
            {
              title: 'Most',
              isNumber: true,
              isExtra: true,
              cell: ({ node }) => (isSupervisor(node) ? '' : number(node.mailbox.highWaterMark, 0)),
            },
            {
              title: 'Per second',
              isNumber: true,
              cell: ({ node }) => (isSupervisor(node) ? '' : number(node.ratePerSecond, 0)),
            },
            {
              title: 'In queue, p99',
              isNumber: true,
              isExtra: true,
              cell: ({ node }) => (isSupervisor(node) ? '' : latency(node.queueTime.p99Ms)),
            },
            {
              title: 'Handler, p99',
              isNumber: true,
              cell: ({ node }) => (isSupervisor(node) ? '' : latency(node.handler.p99Ms)),
            },
            {
              title: 'Restarts',
              isNumber: true,
              cell: ({ node }) => (isSupervisor(node) ? `${node.restartsInPeriod} / ${node.intensity}` : node.restarts),
            },
          ]}
        />
      </Panel>
    </>
  );
}

function isSupervisor(node: Node): node is Supervisor {
  return 'strategy' in node;
}

interface TreeRow {
  readonly node: Node;
  readonly depth: number;
}

function flatten(node: Node, depth: number): readonly TreeRow[] {
  const own = { node, depth };
  return isSupervisor(node) ? [own, ...node.children.flatMap((child) => flatten(child, depth + 1))] : [own];
}

function Threads(props: { readonly threads: readonly Thread[] }): JSX.Element {
  const lanes = props.threads.flatMap((thread) => thread.lanes.map((lane) => ({ from: thread.name, ...lane })));
  return (
    <>
      <Panel title="Threads" isWide>
        <Table
          caption="Threads"
          rows={props.threads}
          keyOf={({ name }) => name}
          empty="No thread."
          columns={[
            { title: 'Thread', cell: ({ name }) => name },
            { title: 'Status', cell: ({ status, stale }) => <Badge word={stale ? 'stale' : status} /> },
            { title: 'Life', isNumber: true, cell: ({ incarnation }) => incarnation },
            {
              title: 'Loop delay p50',
              isNumber: true,
              isExtra: true,
              cell: ({ loopDelay }) => latency(loopDelay?.p50Ms),
            },
            { title: 'p99', isNumber: true, cell: ({ loopDelay }) => latency(loopDelay?.p99Ms) },
            { title: 'Most', isNumber: true, isExtra: true, cell: ({ loopDelay }) => latency(loopDelay?.maxMs) },
            { title: 'Heap', isNumber: true, cell: ({ heapUsedBytes }) => bytes(heapUsedBytes) },
            { title: 'Turns', isNumber: true, isExtra: true, cell: ({ turns }) => number(turns, 0) },
            { title: 'Wake-ups', isNumber: true, isExtra: true, cell: ({ wakeUpsSent }) => number(wakeUpsSent, 0) },
            {
              title: 'Lost',
              isNumber: true,
              cell: ({ lostWakeUps }) => <span class={lostWakeUps > 0 ? 'bad' : ''}>{lostWakeUps}</span>,
            },
          ]}
        />
      </Panel>
      <Panel title="Rings" note="bytes published and not yet read" isWide>
        <Table
          caption="Rings"
          rows={lanes}
          keyOf={({ from, to, lane }) => `${from} ${to} ${lane}`}
          empty="One thread runs everything: there are no rings."
          columns={[
            { title: 'From → to', cell: ({ from, to }) => `${from} → ${to}` },
            { title: 'Lane', cell: ({ lane }) => lane },
            {
              title: 'Full',
              cell: ({ fill, from, to, lane }) => <Bar share={fill} label={`${from} to ${to}, ${lane}`} />,
            },
            { title: 'Sent', isNumber: true, cell: ({ sent }) => number(sent, 0) },
            { title: 'Merged', isNumber: true, isExtra: true, cell: ({ merged }) => number(merged, 0) },
            { title: 'Refused', isNumber: true, cell: ({ refused }) => number(refused, 0) },
            { title: 'Waiting', isNumber: true, cell: ({ queued }) => number(queued, 0) },
            { title: 'Unhandled', isNumber: true, isExtra: true, cell: ({ unhandled }) => number(unhandled, 0) },
          ]}
        />
      </Panel>
    </>
  );
}

function Traces(): JSX.Element {
  const { data, failure } = usePoll<{ readonly traces: readonly TraceLine[] }>('/debug/traces', 2_000);
  return (
    <Panel title="Causal traces" note="orders first: from the venue's frame to the bytes sent" isWide>
      {data === undefined ? (
        <Pending failure={failure} />
      ) : (
        <Table
          caption="Traces"
          rows={data.traces.slice(0, 25)}
          keyOf={({ traceId }) => traceId}
          empty="No trace was sampled yet."
          columns={[
            {
              title: 'Trace',
              cell: ({ traceId, names }) => <a href={`#/trace/${names[0] ?? traceId}`}>{names[0] ?? traceId}</a>,
            },
            { title: 'From', cell: ({ first }) => (first === undefined ? '–' : `${first.path} ${first.type}`) },
            {
              title: 'To',
              isExtra: true,
              cell: ({ last }) => (last === undefined ? '–' : `${last.path} ${last.type}`),
            },
            { title: 'Steps', isNumber: true, cell: ({ spans }) => spans },
            { title: 'Threads', isExtra: true, cell: ({ threads }) => threads.join(' → ') },
            { title: 'Took', isNumber: true, cell: ({ durationMs }) => latency(durationMs) },
          ]}
        />
      )}
    </Panel>
  );
}
