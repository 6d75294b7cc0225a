/**
 * The baseline of tick-to-order: the same adapter, decision, journal and signature by plain function calls in one thread that also
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
import type { Instant, Operation, OrderRequest, VenueEvent, VenueSettings } from '../../src/venues/venue.ts';
import { intentRow, NO_DECISIONS, orderOf, watchBook } from './decision.ts';
import { BASE, VENUE, type Decision } from './plan.ts';

export interface PlainThreadData {
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

const port = parentPort;
if (port === null) throw new Error('plain-worker.ts runs as a worker thread only');
const tell = (event: PlainEvent): void => port.postMessage(event);
// The starter is this benchmark's own main part: the data's shape is its promise.
const { settings, journalDirectory, boot } = workerData as PlainThreadData;

const adapter = openVenue(VENUE, settings);
const stream = adapter.openStream();
const journal = reopenJournal(journalDirectory, boot);
const http = openHttpPort(httpEnded);
const socket = openSocketPort(socketTold, () => performance.now());
const operations = new Map<RequestRef, Operation>();
const socketKeys = new Map<SocketRef, string>();
let instrument: Instrument | undefined;
let isPrivateReady = false;
let isReady = false;
let memory = NO_DECISIONS;
let decisions: Decision[] = [];

function now(): Instant {
  return { calendarMs: Date.now(), monotonicMs: performance.now() };
}

function send(operation: Operation): void {
  operations.set(http.send(operation.request), operation);
}

function httpEnded(message: HttpMessage): void {
  if (message.type === 'http-failed') throw new Error(`a request must be answered: ${message.detail}`);
  const operation = operations.get(message.ref);
  operations.delete(message.ref);
  if (operation !== undefined) apply(operation.parse(message, now()).events);
}

function socketTold(message: SocketMessage): void {
  const key = socketKeys.get(message.ref);
  if (key === undefined) return;
  if (message.type === 'socket-opened') apply(stream.opened(key, now()).events);
  else if (message.type === 'socket-frame')
    apply(stream.frame(key, message.text, { ...now(), monotonicMs: message.receivedAtMonotonicMs }).events);
  else if (message.type === 'socket-closed') throw new Error(`socket ${key} must stay open: ${message.detail}`);
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
  if (instrument === undefined) throw new Error(`${VENUE} must list ${BASE}`);
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
  journal.append([encodeRow(intentRow(order, WRITER, nowMs))]);
  decisions.push({ clientOrderId: order.clientOrderId, decidedNs, durableNs: process.hrtime.bigint() });
  submit(order);
}

function submit(order: OrderRequest): void {
  const plan = adapter.placeOrder(order, undefined, now());
  const signature =
    plan.sign === undefined ? undefined : runCpuTask(plan.sign.task, plan.sign.input, randomBytes(TASK_ENTROPY_BYTES));
  const submission = plan.submit(signature, now());
  if (submission.via !== 'http') throw new Error(`orders at ${VENUE} must go over HTTP`);
  send(submission.operation);
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
  tell({ type: 'stopped' });
  port.close();
});
send(adapter.instruments());
