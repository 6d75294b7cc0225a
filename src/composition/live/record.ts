/** Runs the connectors of a configuration without anybody who trades, and writes down what they hear. Main thread. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { connectorRef, observerRef } from '../../../actors/addresses.ts';
import type { ConnectorArgs } from '../../../actors/connector/state.ts';
import { observer } from '../../../actors/observer.ts';
import type { TandemConfig } from '../../../config/schema.ts';
import type { ConnectorThreadData } from '../../ports/live/connector-ports.ts';
import { RECORDING_VERSION } from '../../recording/format.ts';
import type { RecordingHeading } from '../../recording/format.ts';
import { recordingFiles } from '../../recording/live/recording-file.ts';
import type { ActorSpec, ChildSpec } from '../../runtime/child-spec.ts';
import type { LogRecord } from '../../runtime/ports-context.ts';
import { startThreads } from '../../runtime/thread-system.ts';
import { openJournal } from '../../storage/live/journal-database.ts';
import { engineDelivery } from '../delivery.ts';
import { placementOf, supervisionTree } from '../tree.ts';
import type { AccountKeys } from './account-keys.ts';
import { openAccounts } from './accounts.ts';

export interface RecordOptions {
  readonly directory: string;
  /** Only accounts of this venue. */
  readonly venue?: string | undefined;
  readonly keys: AccountKeys;
  readonly log: (record: LogRecord) => void;
  /** Recording goes on until this settles. */
  readonly until: Promise<unknown>;
}

const STOP_MS = 10_000;

/** Settles with the files written. Rejects when nothing is configured to be recorded, or the directory cannot be written to. */
export async function recordConnectors(config: TandemConfig, options: RecordOptions): Promise<readonly string[]> {
  if (options.keys.problems.length > 0) throw new Error(options.keys.problems.join('; '));
  const directory = resolve(options.directory);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const before = new Set(recordingFiles(directory));
  // A journal of its own: an engine may be running beside this, and nothing here is worth keeping.
  const dataDir = mkdtempSync(join(tmpdir(), 'tandem-record-'));
  const accounts = await openAccounts({ ...config, dataDir }, options.keys);
  try {
    const endpoints = accounts.endpoints.filter(({ venue }) => options.venue === undefined || options.venue === venue);
    if (endpoints.length === 0)
      throw new RangeError(`venue must be one of the configuration's, was ${options.venue ?? 'none'}`);
    const journal = openJournal(dataDir);
    const boot = journal.allocateBoot(Date.now());
    journal.close();
    const calendar = accounts.calendar();
    const startedAtMs = calendar.type === 'live' ? Date.now() : calendar.startAtMs;
    const scale = config.calendar.scale;
    const headings = Object.fromEntries(
      endpoints.map(({ venue, account, restUrl, streamUrl, options: known }) => {
        const heading: RecordingHeading = {
          recording: RECORDING_VERSION,
          venue,
          account,
          startedAtMs,
          scale,
          restUrl,
          streamUrl,
          options: known,
          bases: config.symbols,
        };
        return [connectorRef(venue, account).path, heading] as const;
      }),
    );
    const workers = { ...config.workers, io: 1, trading: 1 };
    const placement = placementOf(workers);
    const connectors: ConnectorThreadData = {
      cpuThreads: workers.cpu,
      isRealtime: false,
      calendarScale: scale,
      secrets: accounts.secrets,
      recording: { directory, headings },
    };
    const entry = (name: string): URL => new URL(`../../../workers/${name}.ts`, import.meta.url);
    const tree = supervisionTree({ config: { ...config, workers }, accounts: endpoints, boot, placement });
    const system = await startThreads({
      tree: {
        ...tree,
        children: tree.children.flatMap((child): readonly ChildSpec[] => {
          if (child.id === 'venues' && child.type === 'supervisor')
            return [{ ...child, children: child.children.map(listeningOnly) }];
          return child.id === 'journal' || child.id === observerRef.path ? [child] : [];
        }),
      },
      kinds: [observer],
      delivery: engineDelivery,
      portsFor: () => ({}),
      calendar,
      log: options.log,
      threads: [
        { name: 'io-0', entry: entry('io'), data: connectors },
        { name: 'store', entry: entry('store'), data: { journalDirectory: dataDir, boot } },
      ],
    });
    await options.until;
    await system.stop({ deadlineMs: STOP_MS });
  } finally {
    await accounts.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
  return recordingFiles(directory).filter((file) => !before.has(file));
}

/** A connector that changes nothing at its venue: no leverage is set, no dead man's switch armed, and nobody sends it an order. */
function listeningOnly(child: ChildSpec): ChildSpec {
  if (child.type !== 'actor') return child;
  // What a connector's spec carries: tree.ts makes it of this type.
  const { leverage: _leverage, guardPath: _guard, ...args } = child.args as ConnectorArgs;
  const listening: ConnectorArgs = { ...args, withoutDeadMan: true, subscribers: [] };
  return { ...(child satisfies ActorSpec), args: listening };
}
