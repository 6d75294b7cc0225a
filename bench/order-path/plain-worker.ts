/**
 * The baseline: the same adapter, decision, journal and signature by plain function calls in one thread that also
 * serves the sockets. No actors, no other threads. Thread entry; started with PlainThreadData, spoken to with PlainRequest.
 */
import { randomBytes } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import type { Instrument } from '../../src/market/instrument.ts';
import { TASK_ENTROPY_BYTES, runCpuTask } from '../../src/ports/cpu-tasks.ts';
import { openHttpPort } from '../../src/ports/live/http-port.ts';
import { openSocketPort } from '../../src/ports/live/socket-port.ts';
import type { HttpMessage, RequestRef, SocketMessage, SocketRef } from '../../src/ports/ports.ts';
import { encodeRow } from '../../src/storage/hash-chain.ts';
import { reopenJournal } from '../../src/storage/live/journal-database.ts';
import { openVenue } from '../../src/venues/registry.ts';
import type {
  FrameResult,
  Instant,
  Operation,
  OrderRequest,
  VenueEvent,
  VenueSettings,
} from '../../src/venues/venue.ts';
import { intentRow, NO_DECISIONS, orderOf, watchBook } from './decision.ts';
import { BASE, type Decision, type OrderVenue } from './plan.ts';

export interface PlainThreadData {
  readonly venue: OrderVenue;
  readonly settings: VenueSettings;
  readonly journalDirectory: string;
  readonly boot: number;
}

export type PlainRequest = { readonly type: 'take-decisions' } | { readonly type: 'stop' };
export type PlainEvent =
  | { readonly type: 'ready' }
  | { readonly type: 'decisions'; readonly decisions: readonly Decision[] }
  | { readonly type: 'stopped' };

const WRITER = 'plain';
const ANSWER_MS = 60_000;
/** Pings of the venue's protocol. */
const TICK_MS = 1_000;

const port = parentPort;
if (port === null) throw new Error('plain-worker.ts runs as a worker thread only');
const tell = (event: PlainEvent): void => port.postMessage(event);
// The starter is this benchmark's own main part: the data's shape is its promise.
const { venue, settings, journalDirectory, boot } = workerData as PlainThreadData;

const adapter = openVenue(venue, settings);
const stream = adapter.openStream();
const journal = reopenJournal(journalDirectory, boot);
const http = openHttpPort(httpEnded);
const socket = openSocketPort(socketTold, () => performance.now());
const operations = new Map<RequestRef, Operation>();
/** Orders that the venue has not answered yet. */
const unanswered = new Map<RequestRef, Omit<Decision, 'answeredNs'>>();
const socketKeys = new Map<SocketRef, string>();
let instrument: Instrument | undefined;
let isPrivateReady = false;
let isReady = false;
let memory = NO_DECISIONS;
let decisions: Decision[] = [];

function now(): Instant {
  return { calendarMs: Date.now(), monotonicMs: performance.now() };
}

function send(operation: Operation): RequestRef {
  // No deadline of the adapter's: a busy machine is measured here, not avoided.
  const ref = http.send({ ...operation.request, timeoutMs: ANSWER_MS });
  operations.set(ref, operation);
  return ref;
}

function httpEnded(message: HttpMessage): void {
  if (message.type === 'http-failed') throw new Error(`a request must be answered: ${message.detail}`);
  const operation = operations.get(message.ref);
  operations.delete(message.ref);
  if (operation === undefined) return;
  const { events } = operation.parse(message, now());
  apply(events);
  const decision = unanswered.get(message.ref);
  if (decision === undefined) return;
  unanswered.delete(message.ref);
  const refused = events.find((event) => event.type === 'submission-refused');
  if (refused !== undefined) throw new Error(`order ${decision.clientOrderId} was refused: ${JSON.stringify(refused)}`);
  decisions.push({ ...decision, answeredNs: process.hrtime.bigint() });
}

function socketTold(message: SocketMessage): void {
  const key = socketKeys.get(message.ref);
  if (key === undefined) return;
  if (message.type === 'socket-opened') heard(stream.opened(key, now()));
  else if (message.type === 'socket-frame')
    heard(stream.frame(key, message.text, { ...now(), monotonicMs: message.receivedAtMonotonicMs }));
  else if (message.type === 'socket-closed') throw new Error(`socket ${key} must stay open: ${message.detail}`);
}

function heard({ events, send: frames }: FrameResult): void {
  apply(events);
  for (const { socketKey, text } of frames)
    for (const [ref, key] of socketKeys) if (key === socketKey) socket.send(ref, text);
}

function apply(events: readonly VenueEvent[]): void {
  for (const event of events) {
    if (event.type === 'instruments') listed(event.instruments);
    else if (event.type === 'private-stream-ready') isPrivateReady = true;
    else if (event.type === 'book-changed') bookChanged(event.symbol);
    else if (event.type === 'malformed-frame') throw new Error(`frames must be well formed: ${event.detail}`);
  }
}

function listed(instruments: readonly Instrument[]): void {
  instrument = instruments.find((candidate) => candidate.base === BASE);
  if (instrument === undefined) throw new Error(`${venue} must list ${BASE}`);
  for (const plan of stream.plan([instrument.symbol])) socketKeys.set(socket.open(plan.url, plan.headers), plan.key);
}

function bookChanged(symbol: string): void {
  const book = stream.book(symbol);
  if (book === undefined || instrument === undefined) return;
  if (!isReady && isPrivateReady) {
    isReady = true;
    tell({ type: 'ready' });
  }
  const watched = watchBook(memory, book);
  if (watched === memory) return;
  memory = watched;
  const decidedNs = process.hrtime.bigint();
  const nowMs = Date.now();
  const order = orderOf(memory.count, book, instrument, boot, nowMs);
  journal.append([encodeRow(intentRow(venue, order, WRITER, nowMs))]);
  const durableNs = process.hrtime.bigint();
  unanswered.set(submit(order), { clientOrderId: order.clientOrderId, decidedNs, durableNs });
}

function submit(order: OrderRequest): RequestRef {
  const plan = adapter.placeOrder(order, undefined, now());
  const signature =
    plan.sign === undefined ? undefined : runCpuTask(plan.sign.task, plan.sign.input, randomBytes(TASK_ENTROPY_BYTES));
  const submission = plan.submit(signature, now());
  if (submission.via !== 'http') throw new Error(`orders at ${venue} must go over HTTP`);
  return send(submission.operation);
}

port.on('message', (request: PlainRequest) => {
  if (request.type === 'take-decisions') {
    tell({ type: 'decisions', decisions });
    decisions = [];
    return;
  }
  http.dispose();
  socket.dispose();
  journal.close();
  clearInterval(ticking);
  tell({ type: 'stopped' });
  port.close();
});
const ticking = setInterval(() => heard(stream.tick(now())), TICK_MS);
send(adapter.instruments());
