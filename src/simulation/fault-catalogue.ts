/** What every simulated venue can be told to do wrong, by row of the fault catalogue: network rows N, order rows O. Plain data, any thread. */

export interface FaultRow {
  readonly row: string;
  readonly what: string;
  /** Names for `inject`; none where the fault is not one of the venue's. */
  readonly faults: readonly string[];
  /** Where else it is made: conditions of the simulated network, the market tape, or a process harness. */
  readonly elsewhere?: string;
}

export const FAULT_ROWS: readonly FaultRow[] = [
  { row: 'N1', what: 'half-open connection', faults: ['half-open'], elsewhere: 'network condition blackHole' },
  { row: 'N2', what: 'loss in one direction', faults: ['one-way'] },
  {
    row: 'N3',
    what: 'latency, jitter, reordered connections',
    faults: ['delay-frames', 'delay-answers'],
    elsewhere: 'network condition latencyMsMax',
  },
  { row: 'N4', what: 'dripping and stalled bodies', faults: [], elsewhere: 'bytes on a real connection: test/ports' },
  { row: 'N5', what: 'reset in the middle', faults: ['reset-next-answer'], elsewhere: 'SimulatedNetwork.cut' },
  {
    row: 'N6',
    what: 'refused, dropped and unavailable connections',
    faults: ['refuse-sockets', 'accept-then-close'],
    elsewhere: 'network condition refuses',
  },
  { row: 'N7', what: 'streams cut one by one', faults: ['close-next-socket'] },
  { row: 'N8', what: 'slow consumer closed', faults: ['close-sockets'] },
  { row: 'N9', what: 'old frames after a reconnect', faults: ['replay-frames'] },
  { row: 'N10', what: 'offline for long', faults: ['offline'] },
  {
    row: 'N11',
    what: 'name, address and certificate failures',
    faults: [],
    elsewhere: 'network condition untrusted; test/ports for real TLS',
  },
  { row: 'O1', what: 'request lost', faults: ['lose-next-request'] },
  { row: 'O2', what: 'accepted, answer lost', faults: ['lose-next-answer'] },
  { row: 'O3', what: 'answer after the deadline', faults: ['delay-answers'] },
  { row: 'O4', what: 'server errors, HTML, empty and false answers', faults: ['garble-answers'] },
  { row: 'O5', what: 'fill before the answer, unknown orders', faults: ['delay-answers', 'force-trade'] },
  { row: 'O6', what: 'fills split, doubled and scrambled', faults: ['duplicate-frames', 'swap-frames'] },
  { row: 'O7', what: 'cancel races fill', faults: ['delay-next-request'] },
  { row: 'O8', what: 'rejected or silent after acceptance', faults: ['reject-next-order', 'silent-drop-next-order'] },
  { row: 'O9', what: 'accepted but not found for a while', faults: ['hide-orders'] },
  { row: 'O10', what: 'duplicate client id', faults: ['refuse-next'] },
  { row: 'O11', what: 'refused for margin, band, post-only, size, step', faults: ['refuse-next'] },
  { row: 'O12', what: 'filled in part or not at all', faults: [], elsewhere: 'the depth of the market tape' },
  { row: 'O13', what: 'batch answered in part, or not', faults: ['lose-next-request', 'reset-next-answer'] },
  { row: 'O14', what: 'nonces reused, skipped, burned', faults: ['refuse-next', 'lose-next-answer'] },
  { row: 'O15', what: 'limits, bans, with and without an end', faults: ['rate-limit', 'refuse-requests'] },
  { row: 'O16', what: 'key revoked, token ended', faults: ['revoke-key'] },
  { row: 'O17', what: 'maintenance, cancel-only, post-only', faults: ['maintenance', 'refuse-orders'] },
  { row: 'O18', what: 'liquidated, deleveraged, traded by hand', faults: ['force-trade'] },
  { row: 'O19', what: 'delisted, other terms', faults: ['change-market'] },
  {
    row: 'O20',
    what: 'second engine with the same keys',
    faults: [],
    elsewhere: 'directory lock; foreign orders in the connector',
  },
];
