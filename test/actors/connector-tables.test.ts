/** The tables drawn of a connector's sockets, of its nonces and of its submissions say what the code does, and all of it. */
import { expect, it } from 'vitest';
import { doubtNonce, nonceUnsettled, readNonce } from '../../actors/connector/nonces.ts';
import { rememberOrder } from '../../actors/connector/orders.ts';
import { closeSockets, openSocket, openSockets, socketClosed, socketOpened } from '../../actors/connector/sockets.ts';
import {
  advanceSubmissions,
  enqueue,
  submissionAccepted,
  submissionOverdue,
  submissionRefused,
  submissionsCut,
  withdraw,
} from '../../actors/connector/submissions.ts';
import type { SubmissionTrack } from '../../actors/connector/state.ts';
import type { PriceTicks, QuantityLots } from '../../src/money/units.ts';
import { refOf } from '../../src/runtime/actor.ts';
import type { OrderRequest } from '../../src/venues/venue.ts';
import { changesOf, expectDrawn } from '../drawn-table.ts';
import { bareConnector } from './bare-connector.ts';
import type { BareConnector } from './bare-connector.ts';

/** What happened, in turn: the state follows from all of it. */
type Life = readonly string[];
type Happenings = Readonly<Record<string, (connector: BareConnector) => void>>;

function eventsOf(happenings: Happenings): Readonly<Record<string, (life: Life) => Life>> {
  return Object.fromEntries(Object.keys(happenings).map((name) => [name, (life: Life): Life => [...life, name]]));
}

function lived(happenings: Happenings, life: Life): BareConnector {
  const connector = bareConnector('lighter');
  connector.state.isRunning = true;
  for (const name of life) happenings[name]?.(connector);
  return connector;
}

const SOCKET = 'account';

it('a socket', () => {
  let ref = 0;
  const happenings: Happenings = {
    planned: ({ state, self }) => {
      openSockets(state, self);
      ref = state.sockets.get(SOCKET)?.ref ?? ref;
    },
    connected: ({ state, self }) => void socketOpened(state, self, ref),
    closed: ({ state, self }) => void socketClosed(state, self, { type: 'socket-closed', ref, code: 1006, detail: '' }),
    'its pause is over': ({ state, self }) => {
      openSocket(state, self, SOCKET);
      ref = state.sockets.get(SOCKET)?.ref ?? ref;
    },
    'left for good': ({ state, self }) => {
      closeSockets(state, self);
      state.leave = {
        sinceMs: 0,
        reason: 'test',
        pending: 0,
        isLooking: false,
        nextLookAtMs: 0,
        openOrders: 0,
        isGone: true,
      };
    },
  };
  const samples: Readonly<Record<string, Life>> = {
    none: [],
    opening: ['planned'],
    open: ['planned', 'connected'],
    waiting: ['planned', 'closed'],
  };
  const nameOf = (life: Life): string => lived(happenings, life).state.sockets.get(SOCKET)?.status ?? 'none';
  expectDrawn('actors/connector/sockets.ts', changesOf(samples, eventsOf(happenings), nameOf));
});

function answerNonce({ actor, refs }: BareConnector, next: number): void {
  const body = JSON.stringify({ code: 200, nonce: next });
  actor.deliver({ type: 'http-answered', ref: refs.http, status: 200, headers: {}, body });
}

function track(change: Partial<SubmissionTrack>): SubmissionTrack {
  return {
    kind: 'cancel',
    clientOrderId: '1',
    symbol: 'BTC',
    priority: 0,
    validUntilMs: 1_767_225_605_000,
    plan: () => ({
      submit: () => ({ via: 'socket', submissionId: '1', frame: { socketKey: SOCKET, text: '', kind: 'order' } }),
    }),
    state: 'sent',
    isBooked: true,
    turn: 1,
    nonce: 9n,
    made: undefined,
    task: undefined,
    signature: undefined,
    submissionId: '1',
    socketKey: SOCKET,
    overdue: undefined,
    isSignedAgain: false,
    taken: 0,
    trace: 0,
    queuedAtMs: 0,
    ...change,
  };
}

it('whether the next nonce is known', () => {
  const happenings: Happenings = {
    read: ({ state, self }) => readNonce(state, self, () => undefined),
    answered: (connector) => answerNonce(connector, 7),
    'answered below one that may still arrive': (connector) => {
      nonceUnsettled(connector.state, track({ nonce: 9n }));
      answerNonce(connector, 7);
    },
    'not answered': ({ actor, refs }) =>
      actor.deliver({ type: 'http-failed', ref: refs.http, code: 'timeout', detail: '' }),
    'in doubt': ({ state, self }) => doubtNonce(state, self),
  };
  const samples: Readonly<Record<string, Life>> = {
    unknown: [],
    fetching: ['read'],
    known: ['read', 'answered'],
  };
  const nameOf = (life: Life): string => lived(happenings, life).state.nonce.status;
  expectDrawn('actors/connector/nonces.ts', changesOf(samples, eventsOf(happenings), nameOf));
});

it('a nonce that was read while it came into doubt is not used', () => {
  const { state } = lived(
    {
      read: ({ state: of, self }) => readNonce(of, self, () => undefined),
      doubt: ({ state: of, self }) => doubtNonce(of, self),
      answered: (connector) => answerNonce(connector, 7),
    },
    ['read', 'doubt', 'answered'],
  );
  expect(state.nonce.status).toBe('unknown');
});

const OURS = '2';
const EARLIER = '1';

function orderRequest(clientOrderId: string): OrderRequest {
  return {
    clientOrderId,
    symbol: 'BTC',
    side: 'buy',
    lots: 1 as QuantityLots,
    limitTicks: 1 as PriceTicks,
    timeInForce: 'ioc',
    postOnly: false,
    reduceOnly: false,
    validUntilMs: 1_767_225_605_000,
  };
}

it('a submission', () => {
  /** CPU tasks by client order id. */
  let tasks = new Map<string, number>();
  const ask = ({ state, self, refs }: BareConnector, clientOrderId: string): void => {
    state.ordersAllowed = 'all';
    rememberOrder(state, self, orderRequest(clientOrderId), 'open', refOf('position/BTC'));
    enqueue(state, self, {
      kind: 'place',
      clientOrderId,
      symbol: 'BTC',
      priority: 3,
      validUntilMs: self.nowMs() + 5_000,
      plan: () => ({
        sign: { task: 'sign', input: clientOrderId },
        submit: () => ({
          via: 'socket',
          submissionId: clientOrderId,
          frame: { socketKey: SOCKET, text: 'bytes', kind: 'order' },
        }),
      }),
    });
    if (state.submissions.find((one) => one.clientOrderId === clientOrderId)?.state === 'signing')
      tasks.set(clientOrderId, refs.cpu);
  };
  const know = ({ state }: BareConnector): void => {
    state.nonce.status = 'known';
    state.nonce.next = 7n;
  };
  const sign = ({ actor }: BareConnector, clientOrderId: string): void => {
    const ref = tasks.get(clientOrderId);
    if (ref !== undefined) actor.deliver({ type: 'task-done', ref, result: 'signature' });
  };
  const isOurs = ({ state }: BareConnector, ...states: readonly SubmissionTrack['state'][]): boolean =>
    state.submissions.some((one) => one.clientOrderId === OURS && states.includes(one.state));
  /** Only of one that is in this state: elsewhere it cannot be. */
  const only =
    (state: SubmissionTrack['state'], happen: (connector: BareConnector) => void) =>
    (connector: BareConnector): void => {
      if (isOurs(connector, state)) happen(connector);
    };
  const setUp: Happenings = {
    socket: ({ state, self }) => openSockets(state, self),
    known: know,
    'an earlier one': (connector) => ask(connector, EARLIER),
    'asked for': (connector) => ask(connector, OURS),
  };
  const happenings: Happenings = {
    'room and a nonce': only('waiting', (connector) => {
      know(connector);
      advanceSubmissions(connector.state, connector.self);
    }),
    'signature before its turn': only('signing', (connector) => {
      if (tasks.has(EARLIER)) sign(connector, OURS);
    }),
    'signature at its turn': only('signing', (connector) => {
      sign(connector, EARLIER);
      sign(connector, OURS);
    }),
    'its turn': only('signed', (connector) => sign(connector, EARLIER)),
    'nonce in doubt': (connector) => {
      doubtNonce(connector.state, connector.self);
      advanceSubmissions(connector.state, connector.self);
    },
    'signing failed': only('signing', ({ actor }) => {
      const ref = tasks.get(OURS) ?? 0;
      actor.deliver({ type: 'task-failed', ref, detail: 'test' });
    }),
    'taken back': ({ state, self }) => void withdraw(state, self, OURS),
    'validity over': ({ actor, state, self }) => {
      // Not the answer's own deadline.
      if (state.submissions.some((one) => one.clientOrderId === OURS && one.state === 'sent')) return;
      actor.advanceCalendar(5_001);
      advanceSubmissions(state, self);
    },
    'an earlier one has no socket': only('signed', (connector) => {
      connector.state.sockets.clear();
      sign(connector, EARLIER);
    }),
    'its turn without a socket': only('signing', (connector) => {
      sign(connector, EARLIER);
      connector.state.sockets.clear();
      sign(connector, OURS);
    }),
    accepted: ({ state, self }) => submissionAccepted(state, self, OURS, 'v'),
    refused: only('sent', ({ state, self }) => submissionRefused(state, self, OURS, '1', 'test', 'permanent')),
    'refused for its nonce': only('sent', ({ state, self }) =>
      submissionRefused(state, self, OURS, '1', 'test', 'nonce'),
    ),
    'refused for its nonce again and again': only('sent', ({ state, self }) => {
      for (const one of state.submissions) one.taken = 3;
      submissionRefused(state, self, OURS, '1', 'test', 'nonce');
    }),
    'not answered': ({ state, self }) => submissionOverdue(state, self, OURS, 'place'),
    'socket closed': ({ state, self }) => submissionsCut(state, self, SOCKET),
  };
  const samples: Readonly<Record<string, Life>> = {
    waiting: ['socket', 'asked for'],
    signing: ['socket', 'known', 'an earlier one', 'asked for'],
    signed: ['socket', 'known', 'an earlier one', 'asked for', 'signature before its turn'],
    sent: ['socket', 'known', 'asked for', 'signature at its turn'],
    gone: ['socket', 'asked for', 'taken back'],
  };
  const nameOf = (life: Life): string => {
    tasks = new Map();
    const { state } = lived({ ...setUp, ...happenings }, life);
    return state.submissions.find((one) => one.clientOrderId === OURS)?.state ?? 'gone';
  };
  expectDrawn('actors/connector/submissions.ts', changesOf(samples, eventsOf(happenings), nameOf));
});
