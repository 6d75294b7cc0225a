/** The simulated Lighter venue's intake of transactions, alone or in batches: read, checked, faulted on command, handed to the exchange. Any thread. */
import type { Instant } from '../venue.ts';
import type { AccountFeeds } from './simulated-account-feeds.ts';
import type { SimulatedAccess } from './simulated-access.ts';
import { wireJson } from './simulated-json.ts';
import type { WireValue } from './simulated-json.ts';
import type { RequestLimits } from './simulated-limits.ts';
import {
  admitOrder,
  cancelAll,
  cancelOne,
  scheduledCancel,
  submitRefusal,
  updateLeverage,
} from './simulated-orders.ts';
import type { SimulatedRecords } from './simulated-records.ts';
import { isRefusal, refusal } from './simulated-refusals.ts';
import type { Refusal } from './simulated-refusals.ts';
import { nonceRefusal, readTransaction } from './simulated-transactions.ts';
import type { SignedTransaction } from './simulated-transactions.ts';
import { seconds } from './simulated-wire.ts';
import { TX_CANCEL_ALL_ORDERS, TX_CANCEL_ORDER, TX_CREATE_ORDER, TX_UPDATE_LEVERAGE } from './wire.ts';

/** A transaction as it came: its type and its info, both not yet looked at. */
export interface RawTransaction {
  readonly type: unknown;
  readonly info: unknown;
}

/** What the caller is told. `isLost`: the answer never arrives. */
export type SubmitReply =
  | { readonly hashes: readonly string[]; readonly predictedMs: number; readonly isLost: boolean }
  | { readonly refused: Refusal; readonly hash?: string; readonly isLimit?: boolean };

export type TransactionFault =
  { readonly fault: 'refuse-next'; readonly code: number } | { readonly fault: 'lose-next-answer' };
export type OrderFault =
  { readonly fault: 'reject-next-order'; readonly status: string } | { readonly fault: 'silent-drop-next-order' };

/** What `tx` tells of a transaction. */
interface Executed {
  readonly transaction: SignedTransaction;
  readonly queuedAtMs: number;
  /** Set for orders that reached the exchange. */
  readonly venueOrderNumber?: number;
  readonly failure?: Refusal;
}

const BATCH_MAX = 50;
const EXECUTED_MAX = 10_000;
const LATE_END_MS = 50;
/** What the venue predicts for the way from answer to execution, monotonic ms. */
const PREDICTED_MS = 300;

export class TransactionGateway {
  readonly #records: SimulatedRecords;
  readonly #access: SimulatedAccess;
  readonly #limits: RequestLimits;
  readonly #feeds: AccountFeeds;
  readonly #chainId: number;
  readonly #calendarScale: number;
  readonly #transactionFaults: TransactionFault[] = [];
  readonly #orderFaults: OrderFault[] = [];
  /** The latest transactions by hash, oldest first. */
  readonly #executed = new Map<string, Executed>();
  /** Scheduled cancel-alls by account name, monotonic ms; a restart of the venue forgets them. */
  readonly #scheduled = new Map<string, number>();
  #lateEnds: { readonly dueMs: number; readonly venueOrderNumber: number; readonly status: string }[] = [];

  constructor(parts: {
    readonly records: SimulatedRecords;
    readonly access: SimulatedAccess;
    readonly limits: RequestLimits;
    readonly feeds: AccountFeeds;
    readonly chainId: number;
    readonly calendarScale: number;
  }) {
    this.#records = parts.records;
    this.#access = parts.access;
    this.#limits = parts.limits;
    this.#feeds = parts.feeds;
    this.#chainId = parts.chainId;
    this.#calendarScale = parts.calendarScale;
  }

  failTransaction(fault: TransactionFault): void {
    this.#transactionFaults.push(fault);
  }

  failOrder(fault: OrderFault): void {
    this.#orderFaults.push(fault);
  }

  nextWakeMs(): number {
    return this.#lateEnds.reduce(
      (wake, { dueMs }) => Math.min(wake, dueMs),
      Math.min(Number.POSITIVE_INFINITY, ...this.#scheduled.values()),
    );
  }

  /** Ends due orders that were only pretended to be taken, and whatever a scheduled cancel-all is due for. */
  tick(at: Instant): void {
    for (const [name, dueMs] of this.#scheduled) {
      if (dueMs > at.monotonicMs) continue;
      this.#scheduled.delete(name);
      this.#records.exchange.cancelAll(name, at);
    }
    const due = this.#lateEnds.filter(({ dueMs }) => dueMs <= at.monotonicMs);
    if (due.length === 0) return;
    this.#lateEnds = this.#lateEnds.filter(({ dueMs }) => dueMs > at.monotonicMs);
    for (const { venueOrderNumber, status } of due)
      this.#feeds.noteOrder(this.#records.endPretended(venueOrderNumber, status, at.calendarMs));
  }

  /** Takes one transaction: whatever the exchange refuses is refused here, and keeps its nonce. */
  submitOne(raw: RawTransaction, at: Instant): SubmitReply {
    const fault = this.#transactionFaults.shift();
    if (fault?.fault === 'refuse-next') return { refused: refusal(fault.code) };
    const transaction = readTransaction(this.#access, this.#chainId, raw.type, raw.info, at.calendarMs);
    if (isRefusal(transaction)) return { refused: transaction };
    const { hash, key, nonce } = transaction;
    if (!this.#isWithinLimits([transaction], at)) return { refused: refusal(23000), isLimit: true };
    const refused = nonceRefusal(transaction, key.nextNonce) ?? this.#execute(transaction, at);
    if (refused !== undefined) return { refused, hash };
    key.nextNonce = nonce + 1;
    return this.#taken([hash], at, fault);
  }

  /** Takes several: all are read first, then each stands for itself, and its nonce is used up whatever becomes of it. */
  submitBatch(raws: readonly RawTransaction[], batchMax: number, at: Instant): SubmitReply {
    const fault = this.#transactionFaults.shift();
    if (fault?.fault === 'refuse-next') return { refused: refusal(fault.code) };
    if (raws.length === 0) return { refused: refusal(21501) };
    if (raws.length > Math.min(batchMax, BATCH_MAX)) return { refused: refusal(21514) };
    const transactions: SignedTransaction[] = [];
    for (const raw of raws) {
      const transaction = readTransaction(this.#access, this.#chainId, raw.type, raw.info, at.calendarMs);
      if (isRefusal(transaction)) return { refused: transaction };
      transactions.push(transaction);
    }
    const refused = batchRefusal(transactions);
    if (refused !== undefined) return { refused };
    if (!this.#isWithinLimits(transactions, at)) return { refused: refusal(23000), isLimit: true };
    for (const transaction of transactions) {
      const failure = this.#execute(transaction, at);
      if (failure !== undefined) this.#remember({ transaction, queuedAtMs: at.calendarMs, failure });
      transaction.key.nextNonce = transaction.nonce + 1;
    }
    return this.#taken(
      transactions.map(({ hash }) => hash),
      at,
      fault,
    );
  }

  #taken(hashes: readonly string[], at: Instant, fault: TransactionFault | undefined): SubmitReply {
    const predictedMs = Math.floor(at.calendarMs + PREDICTED_MS * this.#calendarScale);
    return { hashes, predictedMs, isLost: fault?.fault === 'lose-next-answer' };
  }

  #isWithinLimits(transactions: readonly SignedTransaction[], at: Instant): boolean {
    const account = transactions[0]?.account;
    const leverageChanges = transactions.filter(({ type }) => type === TX_UPDATE_LEVERAGE).length;
    return (
      account === undefined ||
      this.#limits.admitTransactions(transactions.length, leverageChanges, account, at.monotonicMs)
    );
  }

  #execute(transaction: SignedTransaction, at: Instant): Refusal | undefined {
    switch (transaction.type) {
      case TX_CREATE_ORDER:
        return this.#create(transaction, at);
      case TX_CANCEL_ORDER:
        return this.#done(transaction, cancelOne(transaction, this.#records, at), at);
      case TX_CANCEL_ALL_ORDERS:
        return this.#done(transaction, this.#cancelAll(transaction, at), at);
      default: {
        const changed = updateLeverage(transaction, this.#records);
        if (typeof changed !== 'string') return changed;
        this.#feeds.notePosition(transaction.account, changed);
        return this.#done(transaction, undefined, at);
      }
    }
  }

  #cancelAll(transaction: SignedTransaction, at: Instant): Refusal | undefined {
    const { name } = transaction.account;
    const timeMs = scheduledCancel(transaction, this.#calendarScale, at);
    if (timeMs === undefined) return cancelAll(transaction, this.#records, at);
    if (typeof timeMs !== 'number') return timeMs;
    if (timeMs === 0) this.#scheduled.delete(name);
    else this.#scheduled.set(name, at.monotonicMs + (timeMs - at.calendarMs) / this.#calendarScale);
    return undefined;
  }

  #done(transaction: SignedTransaction, refused: Refusal | undefined, at: Instant): Refusal | undefined {
    if (refused === undefined) this.#remember({ transaction, queuedAtMs: at.calendarMs });
    return refused;
  }

  #create(transaction: SignedTransaction, at: Instant): Refusal | undefined {
    const admitted = admitOrder(transaction, this.#records, this.#calendarScale, at);
    if (isRefusal(admitted)) return admitted;
    const fault = this.#orderFaults.shift();
    if (fault !== undefined) {
      if (fault.fault === 'reject-next-order') {
        const venueOrderNumber = this.#records.pretend(admitted.order, at.calendarMs);
        this.#lateEnds.push({ dueMs: at.monotonicMs + LATE_END_MS, venueOrderNumber, status: fault.status });
      }
      return this.#done(transaction, undefined, at);
    }
    const outcome = this.#records.exchange.submit(admitted.order, at);
    if (!outcome.accepted) return submitRefusal(outcome.reason);
    const { venueOrderNumber } = outcome;
    if (admitted.isMarketOrder) this.#records.noteMarketOrder(venueOrderNumber);
    this.#remember({ transaction, queuedAtMs: at.calendarMs, venueOrderNumber });
    return undefined;
  }

  #remember(executed: Executed): void {
    this.#executed.set(executed.transaction.hash, executed);
    const [oldest] = this.#executed.keys();
    if (this.#executed.size > EXECUTED_MAX && oldest !== undefined) this.#executed.delete(oldest);
  }

  /** The transaction as `tx` answers it; undefined when it is unknown or forgotten. */
  transactionJson(hash: string): Readonly<Record<string, WireValue>> | undefined {
    const executed = this.#executed.get(hash);
    if (executed === undefined) return undefined;
    const { transaction, queuedAtMs } = executed;
    const { status, failure } = this.#stateOf(executed);
    return {
      hash,
      type: transaction.type,
      info: infoText(transaction),
      event_info: JSON.stringify({ ae: failure === undefined ? '' : JSON.stringify(failure) }),
      status,
      transaction_index: 0,
      l1_address: transaction.account.l1Address,
      account_index: transaction.account.accountIndex,
      nonce: transaction.nonce,
      expire_at: transaction.expiredAtMs,
      block_height: this.#records.blockHeight,
      queued_at: seconds(queuedAtMs),
      executed_at: seconds(queuedAtMs),
      sequence_index: 0,
      parent_hash: '',
    };
  }

  /** 0 failed, 1 pending, 2 executed. */
  #stateOf({ transaction, venueOrderNumber, failure }: Executed): {
    readonly status: number;
    readonly failure?: Refusal;
  } {
    if (failure !== undefined) return { status: 0, failure };
    if (venueOrderNumber === undefined) return { status: 2 };
    if (this.#records.hasVanished(venueOrderNumber)) return { status: 0, failure: refusal(21732) };
    const order = this.#records.exchange
      .orders(transaction.account.name)
      .find((candidate) => candidate.venueOrderNumber === venueOrderNumber);
    return { status: order?.status === 'queued' ? 1 : 2 };
  }
}

/** A batch is of one key, and its nonces follow each other. */
function batchRefusal(transactions: readonly SignedTransaction[]): Refusal | undefined {
  const [first] = transactions;
  if (first === undefined) return undefined;
  if (transactions.some(({ key }) => key !== first.key)) return refusal(21121);
  const wrongStart = nonceRefusal(first, first.key.nextNonce);
  if (wrongStart !== undefined) return wrongStart;
  let next = first.nonce + 1;
  for (const transaction of transactions.slice(1)) {
    if (nonceRefusal(transaction, next) !== undefined) return refusal(21105);
    next = transaction.nonce + 1;
  }
  return undefined;
}

/** The info as it came, ids beyond 2^53 as bare digits again. */
function infoText({ account, key, nonce, expiredAtMs, fields, attributes, info }: SignedTransaction): string {
  return wireJson({
    AccountIndex: account.accountIndex,
    ApiKeyIndex: key.index,
    ...Object.fromEntries(fields),
    ExpiredAt: expiredAtMs,
    Nonce: nonce,
    Sig: String(info['Sig']),
    L2TxAttributes: Object.fromEntries(attributes),
  });
}
