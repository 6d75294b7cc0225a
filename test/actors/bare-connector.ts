/** A connector that starts nothing by itself, on ports that only count, for tests of its state machines. Tests only. */
import { connector } from '../../actors/connector.ts';
import { newConnectorState } from '../../actors/connector/state.ts';
import type { ConnectorArgs, ConnectorSelf, ConnectorState } from '../../actors/connector/state.ts';
import type { ConnectorMessage } from '../../actors/connector-messages.ts';
import type { ConnectorPorts } from '../../src/ports/ports.ts';
import { SharedReads, sharingHttpPort } from '../../src/ports/shared-reads.ts';
import { noMetrics } from '../../src/runtime/metrics.ts';
import { demoAccount } from '../../src/simulation/demo-accounts.ts';
import { openVenue } from '../../src/venues/registry.ts';
import { stage } from './stage.ts';
import type { Stage } from './stage.ts';

export interface BareConnector {
  readonly actor: Stage<ConnectorState, ConnectorMessage, ConnectorPorts>;
  readonly state: ConnectorState;
  readonly self: ConnectorSelf;
  /** The newest number each port gave out. */
  readonly refs: { http: number; socket: number; cpu: number };
}

/** Returns one whose sockets take every text. */
export function bareConnector(venue: string): BareConnector {
  const { options, secrets } = demoAccount(venue, 'main');
  const args: ConnectorArgs = {
    venue,
    account: 'main',
    settings: {
      account: 'main',
      restUrl: `http://${venue}.test`,
      streamUrl: `ws://${venue}.test`,
      options,
      calendarScale: 1,
    },
    bases: ['BTC'],
    subscribers: [],
    observerPath: 'observer',
    journalPath: 'journal',
    startupQuarantineMs: 0,
    requestValidityMs: 5_000,
    orderAnswerMs: 2_000,
    notFoundGraceMs: 3_000,
    clockWarnOffsetMs: 500,
    comparisonMs: 30_000,
    marketPollMs: 5_000,
    fundingPollMs: 10_000,
    publishMs: 5,
    gate: {
      maxOrderNotionalMicro: 1n,
      maxPositionNotionalMicro: 1n,
      maxOpenOrders: 1,
      maxOrdersPerSec: 1,
      priceCollarBps: 200,
      dailyLossMicro: 1n,
    },
  };
  const refs = { http: 0, socket: 0, cpu: 0 };
  const next = (port: keyof typeof refs): number => {
    refs[port] += 1;
    return refs[port];
  };
  const ports: ConnectorPorts = {
    http: sharingHttpPort({
      reads: new SharedReads(),
      deliver: () => undefined,
      calling: () => 0,
      metrics: noMetrics,
      monotonicMs: () => 0,
      later: () => undefined,
      pools: {
        health: () => ({
          profile: 'standard',
          inFlight: 0,
          waiting: 0,
          waited: 0,
          phase: 'calm',
          bursts: 0,
          fallbacks: 0,
        }),
        setProfile: () => undefined,
        setBurst: () => undefined,
      },
      open: () => ({ send: () => next('http'), dispose: () => undefined }),
    }),
    socket: { open: () => next('socket'), send: () => true, terminate: () => undefined },
    cpu: { run: () => next('cpu'), usePool: () => undefined, fallbacks: () => 0 },
    secrets,
    calendar: { scale: 1 },
  };
  const kind = {
    ...connector,
    start: (given: ConnectorArgs, self: ConnectorSelf) =>
      newConnectorState(given, openVenue(given.venue, { ...given.settings, secrets }), self),
  };
  const actor = stage(kind, args, { path: `connector/${venue}:main`, ports });
  return { actor, state: actor.state(), self: actor.self, refs };
}
