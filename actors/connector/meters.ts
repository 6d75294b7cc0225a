/** What the connector records of its own work: how long news takes through it, how much of each limit is used. Connector thread. */
import type { ConnectorSelf, ConnectorState } from './state.ts';

/** A frame was taken, with all that followed of it: the time since it was read from its socket. */
export function recordRefresh(
  { args, meters }: ConnectorState,
  self: ConnectorSelf,
  receivedAtMonotonicMs: number,
): void {
  meters.framesUntold += 1;
  meters.refresh ??= self.metrics.distribution('market_data_refresh_duration', { venue: args.venue });
  meters.refresh.record(self.monotonicMs() - receivedAtMonotonicMs);
}

/** Books were told: what came since the last time went out in one message. */
export function recordBatch({ args, meters }: ConnectorState, self: ConnectorSelf): void {
  // Several books of one moment are one batch.
  if (meters.framesUntold === 0) return;
  meters.batch ??= self.metrics.distribution('ws_batch_messages', { venue: args.venue });
  meters.batch.record(meters.framesUntold);
  meters.framesUntold = 0;
}

/** The venue said what became of a new order: the time since its command came. */
export function recordPlacement({ args }: ConnectorState, self: ConnectorSelf, queuedAtMs: number): void {
  self.metrics.distribution('order_placement_latency', { venue: args.venue }).record(self.monotonicMs() - queuedAtMs);
}

/** How much of each of the venue's limits is used now, by what it limits. */
export function recordLimits(state: ConnectorState, self: ConnectorSelf): void {
  const { venue } = state.args;
  const { restLimiter, orderLimiter, addressLimiter, frameLimiter, connectLimiter } = state;
  const buckets = {
    rest: restLimiter,
    orders: orderLimiter,
    address: addressLimiter,
    ws: frameLimiter,
    connects: connectLimiter,
  };
  const nowMs = self.monotonicMs();
  for (const [bucket, limiter] of Object.entries(buckets)) {
    if (limiter === undefined) continue;
    self.metrics.gauge('rate_limit_used_ratio', { venue, bucket }).set(limiter.view(nowMs).usedRatio);
  }
  const restSeconds = restLimiter.bucket.windowMs / 1_000;
  self.metrics.gauge('rest_weight_per_s', { venue }).set(restLimiter.used(nowMs) / restSeconds);
  self.metrics.gauge('stream_incomplete', { venue }).set(missingStreams(state));
}

/** What should be heard of and is not: the account, and the books of symbols that are traded. */
function missingStreams({ privateReady, symbols, stream, isRunning }: ConnectorState): number {
  if (!isRunning) return 0;
  return Number(!privateReady) + symbols.filter((symbol) => stream.book(symbol) === undefined).length;
}
