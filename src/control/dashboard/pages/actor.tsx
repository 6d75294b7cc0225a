/** One actor in depth: its state in brief, what waits in its mailbox, how its last life ended. Browser. */
import type { JSX } from 'preact';
import { ActButton, actorAct } from '../acts.tsx';
import { Badge, Data, Panel, Pending, Table, Tile } from '../parts.tsx';
import { usePoll } from '../session.ts';
import { latency, moment, number } from '../text.ts';
import type { Inspection } from '../wire.ts';

interface Mailbox {
  readonly depthTotal: number;
  readonly messages: readonly {
    readonly type: string;
    readonly class: string;
    readonly from: string;
    readonly ageMs: number;
    readonly message: unknown;
  }[];
}

export function ActorPage(props: { readonly path: string }): JSX.Element {
  const { path } = props;
  const { data, failure } = usePoll<Inspection>(`/debug/actors/${path}`);
  const mailbox = usePoll<Mailbox>(`/debug/mailbox/${path}`);
  if (data === undefined) return <Pending failure={failure} />;
  const { mailbox: counts } = data;
  return (
    <>
      <h1>
        {path} <Badge word={data.status} /> <span class="note">on {data.thread}</span>
      </h1>
      <div class="buttons">
        <ActButton act={actorAct(data.status === 'paused' ? 'resume' : 'pause', path)}>
          {data.status === 'paused' ? 'Resume' : 'Pause'}
        </ActButton>
        <ActButton act={actorAct('restart', path)}>Restart</ActButton>
      </div>
      <div class="tiles">
        <Tile name="Life" value={data.incarnation} note={`${data.restarts} restarts`} />
        <Tile name="Per second" value={number(data.ratePerSecond, 0)} note={`${number(counts.processed, 0)} handled`} />
        <Tile name="Queued" value={number(counts.depthTotal, 0)} note={`at most ${number(counts.highWaterMark, 0)}`} />
        <Tile name="In queue" value={latency(data.queueTime.p50Ms)} note={`p99 ${latency(data.queueTime.p99Ms)}`} />
        <Tile
          name="Handler"
          value={latency(data.handler.p50Ms)}
          note={`p99 ${latency(data.handler.p99Ms)}, most ${latency(data.handler.maxMs)}`}
        />
        <Tile
          name="Merged"
          value={number(counts.merged, 0)}
          note={`${counts.evicted} evicted, ${counts.refused} refused`}
        />
      </div>
      {data.failure === undefined ? null : (
        <Panel title="How the last life ended" note={moment(data.failure.atMs)} isWide>
          <p class="fault">
            {data.failure.reason}, during {data.failure.during}
          </p>
          <pre class="data">{data.failure.stack}</pre>
        </Panel>
      )}
      <div class="columns">
        <Panel title="State in brief">
          <Data value={data.digest ?? 'nothing'} />
        </Panel>
        <Panel title="Last messages" note="oldest first">
          <ol class="messages">
            {data.lastMessageTypes.map((type, at) => (
              // Types repeat; their place is what tells them apart.
              <li key={at}>{type}</li>
            ))}
          </ol>
          <Data value={data.counters} />
        </Panel>
      </div>
      <Panel title="Mailbox" note={`${mailbox.data?.depthTotal ?? 0} waiting`} isWide>
        {mailbox.data === undefined ? (
          <Pending failure={mailbox.failure} />
        ) : (
          <Table
            caption="Mailbox"
            rows={mailbox.data.messages}
            keyOf={(message) => `${message.type}${message.from}${message.ageMs}`}
            empty="Nothing waits."
            columns={[
              { title: 'Type', cell: ({ type }) => type },
              { title: 'Class', cell: ({ class: name }) => name },
              { title: 'From', cell: ({ from }) => from },
              { title: 'Age', isNumber: true, cell: ({ ageMs }) => latency(ageMs) },
              { title: 'Content', cell: ({ message }) => <code>{JSON.stringify(message)}</code> },
            ]}
          />
        )}
      </Panel>
    </>
  );
}
