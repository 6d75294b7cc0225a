/** Order facts on their way: journaled first, then told by the journal, so that nobody acts on what a crash could forget. */
import { refOf } from '../../src/runtime/actor.ts';
import type { ActorRef, MessageShape } from '../../src/runtime/actor.ts';
import type { JournalRow, JournalRowType } from '../../src/storage/rows.ts';
import { orderRowId } from '../../src/execution/facts.ts';
import { positionRef } from '../addresses.ts';
import type { AppendDurable, ConnectorEvent, OrderEvent } from '../connector-messages.ts';
import type { AppendFailed, JournalMessage } from '../journal-messages.ts';
import { keepNewest } from './state.ts';
import type { ConnectorSelf, ConnectorState, PendingAppend } from './state.ts';

/** An append without receipt is repeated after this; row ids make the repeat harmless. */
const APPEND_REPEAT_MS = 2_000;
/** Repeats per tick: a journal that comes back is not flooded. */
const REPEATS_MAX = 256;
/** More unacknowledged appends than this mean that the store is gone: nothing is opened any more. */
export const APPENDS_MAX = 4_096;
/** Far beyond that, starting again from the venue's own word is better than growing. */
const APPENDS_HARD_MAX = 4 * APPENDS_MAX;
/** Remembered fact ids; older ones are caught by the journal's own uniqueness. */
const PUBLISHED_MAX = 20_000;

/**
 * Journals an order fact and has the journal tell it to the symbol's position actor once it is durable. Returns false when this
 * life has journaled one of its id already, or when nobody here trades its instrument. `asker` hears of an order of its own whose
 * instrument is not listed (yet).
 */
export function tellDurably(
  state: ConnectorState,
  self: ConnectorSelf,
  type: JournalRowType,
  id: string,
  event: OrderEvent,
  asker?: ActorRef<ConnectorEvent>,
): boolean {
  const content = contentOf(event);
  const before = state.published.get(id);
  if (before === content) {
    self.count('facts-repeated');
    return false;
  }
  const base = state.baseBySymbol.get(event.symbol);
  const to = base === undefined ? asker : positionRef(base);
  if (to === undefined) {
    // Nobody could act on it, and it is not ours to book.
    self.count('foreign-facts');
    self.log('warn', 'foreign-instrument', { venue: state.args.venue, symbol: event.symbol, fact: event.type });
    return false;
  }
  state.published.set(id, content);
  keepNewest(state.published, PUBLISHED_MAX);
  const correlation = base ?? state.args.bases.find((candidate) => positionRef(candidate).path === to.path) ?? '';
  const row: JournalRow = {
    id,
    type,
    atMs: self.nowMs(),
    actor: self.path,
    correlation,
    ...originOf(event),
    payload: { event },
  };
  append(state, self, [row], to, event);
  if (before === undefined) return true;
  // Told otherwise than before under the same id: whether that is another fact, the journal judges, and tells the guard if so.
  self.count('facts-retold');
  return false;
}

/** What books count of a fact, as text. The rest venues word differently in their streams and lists. */
function contentOf(event: OrderEvent): string {
  switch (event.type) {
    case 'fill-received': {
      const { clientOrderId, side, priceTicks, lots, feeMicro } = event.fill;
      return `${event.symbol} ${clientOrderId} ${side} ${priceTicks} ${lots} ${feeMicro}`;
    }
    case 'funding-paid':
      return `${event.symbol} ${event.payment.amountMicro} ${event.payment.signedLots}`;
    case 'order-changed':
      return `${event.symbol} ${event.code}`;
    default:
      return '';
  }
}

/** When it happened at the venue, and the order it follows from. */
function originOf(event: OrderEvent): Pick<JournalRow, 'venueAtMs' | 'causation'> {
  const orderOf = (clientOrderId: string): Pick<JournalRow, 'causation'> =>
    clientOrderId === '' ? {} : { causation: orderRowId({ ...event, clientOrderId }) };
  switch (event.type) {
    case 'fill-received':
      return { venueAtMs: event.fill.venueAtMs, ...orderOf(event.fill.clientOrderId) };
    case 'funding-paid':
      return { venueAtMs: event.payment.settledAtMs };
    case 'order-changed':
      return orderOf(event.clientOrderId);
    default:
      return {};
  }
}

/**
 * Tells `event` after every fact found so far. It goes through the journal too, and only once the journal has confirmed those
 * facts: one that had to be repeated would otherwise come too late.
 */
export function tellAfterFacts(
  state: ConnectorState,
  self: ConnectorSelf,
  to: ActorRef<ConnectorEvent>,
  event: ConnectorEvent,
): void {
  state.barriers.push({ afterAppendId: state.lastAppendId, to, event });
  releaseBarriers(state, self);
}

/** The journal has an append. */
export function appendDurable(state: ConnectorState, self: ConnectorSelf, appendId: number): void {
  state.appends.delete(appendId);
  releaseBarriers(state, self);
}

/**
 * The journal did not take an append. It is kept and repeated: the fact stays ours until the journal has it. Only one that
 * contradicts what is stored is given up, untold: comparing with the venue finds what it was about, and what waits for later
 * facts must not wait for ever.
 */
export function appendRefused(state: ConnectorState, self: ConnectorSelf, failed: AppendFailed): void {
  const { appendId, code, detail } = failed;
  self.log('error', 'append-failed', { appendId, code, detail });
  if (code === 'not-stored' || !state.appends.delete(appendId)) return;
  self.count('facts-contradicted');
  releaseBarriers(state, self);
}

/** Sends appends without receipt again, oldest first. */
export function repeatAppends(state: ConnectorState, self: ConnectorSelf): void {
  const now = self.monotonicMs();
  let repeats = 0;
  for (const pending of state.appends.values()) {
    if (now - pending.sentAtMs < APPEND_REPEAT_MS) continue;
    pending.sentAtMs = now;
    self.count('appends-repeated');
    self.tell(refOf<JournalMessage>(state.args.journalPath), pending.message);
    repeats += 1;
    if (repeats >= REPEATS_MAX) return;
  }
}

/** Journals a row of our own that nobody is told of. */
export function appendRow(state: ConnectorState, self: ConnectorSelf, row: JournalRow): void {
  append(state, self, [row]);
}

function releaseBarriers(state: ConnectorState, self: ConnectorSelf): void {
  if (state.barriers.length === 0) return;
  const [oldest] = state.appends.keys();
  const open = state.barriers.filter((barrier) => oldest === undefined || barrier.afterAppendId < oldest);
  state.barriers = state.barriers.filter((barrier) => !open.includes(barrier));
  for (const barrier of open) append(state, self, [], barrier.to, barrier.event);
}

function append(
  state: ConnectorState,
  self: ConnectorSelf,
  rows: readonly JournalRow[],
  to?: ActorRef,
  message?: MessageShape,
): void {
  if (state.appends.size >= APPENDS_HARD_MAX)
    throw new Error(`at most ${APPENDS_HARD_MAX} appends may wait for the journal`);
  state.lastAppendId += 1;
  const appendId = state.lastAppendId;
  const receipt: AppendDurable = { type: 'append-durable', appendId };
  const pending: PendingAppend = {
    message: {
      type: 'append-rows',
      rows,
      whenDurable: [
        ...(to === undefined || message === undefined ? [] : [{ to, message }]),
        { to: self.ref, message: receipt },
      ],
      sender: self.ref,
      appendId,
    },
    sentAtMs: self.monotonicMs(),
  };
  state.appends.set(appendId, pending);
  self.tell(refOf<JournalMessage>(state.args.journalPath), pending.message);
}
