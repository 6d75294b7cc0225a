/** Plays a recording to the connector that made it, in virtual time: the same frames at the same moments, and what it makes of them. Single thread. */
import { connector } from '../../actors/connector.ts';
import { connectorEventDelivery } from '../../actors/connector-messages.ts';
import type { ConnectorEvent } from '../../actors/connector-messages.ts';
import type { ConnectorArgs } from '../../actors/connector/state.ts';
import { journal } from '../../actors/journal.ts';
import { runCpuTask } from '../ports/cpu-tasks.ts';
import { RecordedVenue } from '../recording/recorded-venue.ts';
import type { RecordingEntry, RecordingHeading } from '../recording/format.ts';
import type { ActorKind } from '../runtime/actor.ts';
import type { AnyActorKind } from '../runtime/kind-registry.ts';
import type { LogRecord } from '../runtime/ports-context.ts';
import { startVirtual } from '../runtime/virtual-system.ts';
import { demoAccount } from '../simulation/demo-accounts.ts';
import { SimulatedDisk } from '../simulation/simulated-disk.ts';
import { SimulatedNetwork } from '../simulation/simulated-network.ts';
import { simulatedConnectorPorts, simulatedJournalPorts } from '../simulation/simulated-ports.ts';
import type { SimulatedVenue } from '../simulation/simulated-venue.ts';

export interface ReplayOptions {
  readonly heading: RecordingHeading;
  readonly entries: readonly RecordingEntry[];
  /** Answers what was not recorded. */
  readonly rest?: SimulatedVenue;
  /** Hears everything the connector tells, in virtual ms since the start. */
  readonly heard?: (event: ConnectorEvent, atMs: number) => void;
  readonly log?: (record: LogRecord) => void;
}

export interface ReplayReport {
  readonly venue: string;
  readonly durationMs: number;
  readonly frames: number;
  readonly lost: number;
  /** What was told, by type. */
  readonly told: Readonly<Record<string, number>>;
  /** The connector's own counts, for example `malformed-frames`. */
  readonly counted: Readonly<Record<string, number>>;
  readonly status: string;
  /** Questions nobody could answer. */
  readonly unanswered: readonly string[];
  /** Over everything that was told: the same recording and program give the same number. */
  readonly hash: string;
}

const HOST = 'recorded.test';
const AFTER_MS = 1_000;
const TIMES = {
  startupQuarantineMs: 0,
  requestValidityMs: 5_000,
  orderAnswerMs: 2_000,
  notFoundGraceMs: 3_000,
  clockWarnOffsetMs: 500,
  comparisonMs: 30_000,
  marketPollMs: 5_000,
  fundingPollMs: 10_000,
  publishMs: 5,
} as const;

/** Settles nothing and asks nobody: returns once the recording is over. */
export function replay({ heading, entries, rest, heard, log }: ReplayOptions): ReplayReport {
  const told = new Map<string, number>();
  let hash = 0;
  const probe: ActorKind<unknown, Record<string, never>, ConnectorEvent> = {
    kind: 'probe',
    delivery: connectorEventDelivery,
    start: () => ({}),
    receive: (state, event, self) => {
      told.set(event.type, (told.get(event.type) ?? 0) + 1);
      hash = mixed(hash, textOf(event));
      heard?.(event, self.monotonicMs());
      return state;
    },
  };
  const { venue, account } = heading;
  const path = `connector/${venue}:${account}`;
  const moved = (url: string, protocol: string): string => {
    const { pathname } = new URL(url);
    return `${protocol}://${HOST}${pathname === '/' ? '' : pathname}`;
  };
  const args: ConnectorArgs = {
    venue,
    account,
    settings: {
      account,
      restUrl: moved(heading.restUrl, 'http'),
      streamUrl: moved(heading.streamUrl, 'ws'),
      options: heading.options,
      calendarScale: heading.scale,
    },
    bases: heading.bases,
    subscribers: [{ path: 'listener' }],
    observerPath: 'listener',
    journalPath: 'journal',
    withoutDeadMan: true,
    gate: {
      maxOrderNotionalMicro: 0n,
      maxPositionNotionalMicro: 0n,
      maxOpenOrders: 0,
      maxOrdersPerSec: 0,
      priceCollarBps: 0,
      dailyLossMicro: 0n,
    },
    ...TIMES,
  };
  const disk = new SimulatedDisk();
  const { secrets } = demoAccount(venue, account);
  const system = startVirtual({
    tree: {
      type: 'supervisor',
      id: 'root',
      children: [
        { type: 'actor', id: 'journal', kind: 'journal', args: {} },
        { type: 'actor', id: 'listener', kind: 'probe', args: {} },
        { type: 'actor', id: path, kind: 'connector', args, mailboxMessagesMax: 65_536 },
      ],
    },
    // Each kind handles its own messages; the registry asks for no more.
    kinds: [connector, journal, probe] as AnyActorKind[],
    portsFor: (context) => {
      if (context.kind === 'journal') return simulatedJournalPorts(disk)(context);
      if (context.kind !== 'connector') return {};
      const options = { network, runTask: runCpuTask, calendarScale: heading.scale, client: '127.0.0.1' };
      return simulatedConnectorPorts({ ...options, secretsOf: () => secrets })(context);
    },
    calendar: { type: 'scaled', startAtMs: heading.startedAtMs, scale: heading.scale },
    seed: 1,
    log: (record) => log?.(record),
    checkIsolation: false,
  });
  const network = new SimulatedNetwork(system, { seed: 1, startAtMs: heading.startedAtMs, scale: heading.scale });
  const recorded = new RecordedVenue({ heading, entries, ...(rest === undefined ? {} : { rest }) });
  network.addVenue(HOST, recorded);
  // What the way took is in the recording already.
  network.setConditions(HOST, { latencyMsMin: 0, latencyMsMax: 0, slowChance: 0 });
  const durationMs = RecordedVenue.endMs(entries);
  system.runUntil(durationMs + AFTER_MS);
  const inspection = system.inspect(path);
  const status = (inspection?.digest as { readonly status?: string } | undefined)?.status ?? 'gone';
  return {
    venue,
    durationMs,
    frames: recorded.framesPlayed,
    lost: entries.reduce((sum, entry) => sum + (entry.k === 'lost' ? entry.n : 0), 0),
    told: Object.fromEntries([...told].toSorted(([one], [other]) => (one < other ? -1 : 1))),
    counted: inspection?.counters ?? {},
    status,
    unanswered: [...recorded.unanswered],
    hash: (hash >>> 0).toString(16).padStart(8, '0'),
  };
}

/** FNV-1a over the text's code units. */
function mixed(hash: number, text: string): number {
  let mixing = hash === 0 ? 0x811c9dc5 : hash;
  for (let at = 0; at < text.length; at++) mixing = Math.imul(mixing ^ text.charCodeAt(at), 0x01000193);
  return mixing;
}

function textOf(event: ConnectorEvent): string {
  return JSON.stringify(event, (_name, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
}
