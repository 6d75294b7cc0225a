/** The doors to the outside, as an actor sees them: ask now, the answer comes later as a message. Types only. */
import type { ReadPage } from '../storage/row-page.ts';
import type { ForwardQuery, JournalRow, StoreQuery } from '../storage/rows.ts';

export type RequestRef = number;
export type SocketRef = number;
export type TaskRef = number;
export type AppendRef = number;
export type ReadRef = number;

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Absolute URL. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Body text; absent on GET. */
  readonly body?: string;
  /** The answer must be complete after this many monotonic ms, else `http-failed` with code `timeout`. */
  readonly timeoutMs: number;
  /** It changes something at the venue: it never waits for others. */
  readonly mutates?: true;
  /** Of reads whose answer others may have asked for: see SharedRead. Absent: this very request is sent. */
  readonly read?: SharedRead;
}

/** What can be read once for several askers; each can be switched off. */
export type ReadSource = 'metadata' | 'balances' | 'positions' | 'tickers';

/** An answer to an identical read that left at or after `sinceMs` (monotonic) is as good as one to this. */
export interface SharedRead {
  readonly source: ReadSource;
  /** The same for identical reads only: what belongs to an account begins with its actor's path. */
  readonly key: string;
  readonly sinceMs: number;
}

/** Counts since the thread started. */
export interface ReadStatistics {
  readonly isEnabled: boolean;
  /** Answered from what was kept, together with one under way, by a request of its own. */
  readonly hits: number;
  readonly shared: number;
  readonly misses: number;
  readonly invalidations: number;
  /** Times it went wrong and was switched off by itself. */
  readonly fallbacks: number;
  readonly entries: number;
}

/** The connections behind a thread's HTTP doors. */
export interface HttpHealth {
  readonly profile: 'standard' | 'premium';
  readonly inFlight: number;
  /** Requests that wait for a place now, and that ever did. */
  readonly waiting: number;
  readonly waited: number;
  readonly phase: 'calm' | 'burst' | 'shrinking';
  readonly bursts: number;
  /** Times a burst could not have its connections and was switched off. */
  readonly fallbacks: number;
}

/** Never retries by itself: a retry of a mutating request is a decision of trading code. */
export interface HttpPort {
  /** Exactly one `http-answered` or `http-failed` follows. `endpoint`: what the call is timed as, one of few; default its method. */
  send(request: HttpRequest, endpoint?: string): RequestRef;
  /** Whether this read would be answered without a request of its own: it then costs nothing of any limit. */
  isAtHand(read: SharedRead): boolean;
  /** What was kept of keys that begin so is not true any more. */
  invalidate(source: ReadSource, prefix: string): void;
  /** Switches sharing of one source on or off, for all who use this thread's doors. */
  share(source: ReadSource, isEnabled: boolean): void;
  statistics(): Readonly<Record<ReadSource, ReadStatistics>>;
  health(): HttpHealth;
  /** Larger pools, and more connections for a while; for all who use this thread's doors. */
  setProfile(profile: HttpHealth['profile']): void;
  setBurst(isOn: boolean): void;
}

export interface HttpAnswered {
  readonly type: 'http-answered';
  readonly ref: RequestRef;
  readonly status: number;
  /** By lower-case name. `retry-after` is in seconds, whichever of its two forms the venue used. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Monotonic ms when the request left that this answers, where it was another one than the asker's own. */
  readonly sentAtMs?: number;
}

export interface HttpFailed {
  readonly type: 'http-failed';
  readonly ref: RequestRef;
  /**
   * `refused`, `untrusted`: provably nothing was sent (connect failed; the other side's certificate did not hold). All other codes
   * leave a mutating request *unknown*.
   */
  readonly code: 'refused' | 'untrusted' | 'timeout' | 'reset' | 'unreadable';
  readonly detail: string;
}

export interface SocketPort {
  /** `socket-opened` or `socket-closed` follows. `channel`: what its frames are counted as, up to its first colon one of few; default `other`. */
  open(url: string, headers: Readonly<Record<string, string>>, channel?: string): SocketRef;
  /** Returns false when the socket is not open; nothing was sent then. */
  send(ref: SocketRef, text: string): boolean;
  /** Cuts the connection at once; a `socket-closed` still follows. */
  terminate(ref: SocketRef): void;
}

export interface SocketOpened {
  readonly type: 'socket-opened';
  readonly ref: SocketRef;
}
/** One text frame; binary and oversize frames close the socket instead. */
export interface SocketFrame {
  readonly type: 'socket-frame';
  readonly ref: SocketRef;
  readonly text: string;
  /** Monotonic ms when the frame was read from the socket. */
  readonly receivedAtMonotonicMs: number;
}
/** Heartbeat seen (ping or pong), for silence detection. */
export interface SocketHeartbeat {
  readonly type: 'socket-heartbeat';
  readonly ref: SocketRef;
}
export interface SocketClosed {
  readonly type: 'socket-closed';
  readonly ref: SocketRef;
  /** WebSocket close code, or 1006; an HTTP status when the handshake was refused. */
  readonly code: number;
  readonly detail: string;
  /** The other side's certificate did not hold. */
  readonly isUntrusted?: true;
}

/** CPU-bound pure functions by name; see src/ports/cpu-tasks.ts for the list. */
export interface CpuPort {
  /** Exactly one `task-done` or `task-failed` follows. */
  run(task: string, input: unknown): TaskRef;
  /** On the pool, or at once on this thread; for all who use this thread's doors. */
  usePool(isOn: boolean): void;
  /** Times the pool itself failed and a task was computed here instead. */
  fallbacks(): number;
}
export interface TaskDone {
  readonly type: 'task-done';
  readonly ref: TaskRef;
  readonly result: unknown;
}
export interface TaskFailed {
  readonly type: 'task-failed';
  readonly ref: TaskRef;
  readonly detail: string;
}

/** Only the journal actor holds this door. */
export interface StorePort {
  /** Appends rows in order, all or none; `rows-durable` or `store-failed` follows after the group commit. */
  append(rows: readonly JournalRow[]): AppendRef;
  /** Reads synchronously on the store thread; bounded by the query's limit. */
  read(query: StoreQuery): readonly JournalRow[];
  /** The same as a page (storage/row-page.ts): for readers of many. */
  readPage(query: ForwardQuery): ReadPage;
}
export interface RowsDurable {
  readonly type: 'rows-durable';
  readonly ref: AppendRef;
  /** Rows of this append whose id was stored before: they changed nothing. Absent means none. */
  readonly repeatedRows?: number;
  /** How long the commit took, monotonic ms, when that was longer than a decision may wait for; absent else. */
  readonly slowCommitMs?: number;
}
export interface StoreFailed {
  readonly type: 'store-failed';
  readonly ref: AppendRef;
  /** Present when a row contradicts the stored one of its id: the same append can never become durable. */
  readonly isConflict?: true;
  readonly detail: string;
}

/** The answers of HTTP, socket and CPU doors, to be added to the message union of actors that hold them. */
export type HttpMessage = HttpAnswered | HttpFailed;
export type SocketMessage = SocketOpened | SocketFrame | SocketHeartbeat | SocketClosed;
export type CpuMessage = TaskDone | TaskFailed;
export type StoreMessage = RowsDurable | StoreFailed;

/** What connector actors hold. `scale` is calendar ms per monotonic ms: 1 live, more in compressed simulations. */
export interface ConnectorPorts {
  readonly http: HttpPort;
  readonly socket: SocketPort;
  readonly cpu: CpuPort;
  readonly calendar: { readonly scale: number };
  /** The account's secrets by name; they never travel in messages or arguments. */
  readonly secrets: Readonly<Record<string, string>>;
}
export interface JournalPorts {
  readonly store: StorePort;
}
