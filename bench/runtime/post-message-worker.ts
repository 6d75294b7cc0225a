/** Worker entry of the baseline: the same load over a plain MessagePort, no runtime in between. */
import { parentPort, type MessagePort } from 'node:worker_threads';
import { ThreadClock } from '../../src/runtime/thread-clock.ts';
import { dueAtMs, dueCount, LoadMeter, MESSAGES, type AnyLoad, type LoadPlan } from './load-actors.ts';

export type BaselineOrder = LoadPlan & {
  readonly role: 'produce' | 'consume';
  readonly port: MessagePort;
  readonly anchorNs: bigint;
};

parentPort?.on('message', (order: BaselineOrder) => {
  const clock = new ThreadClock({ type: 'live' }, order.anchorNs);
  if (order.role === 'produce') produce(order, clock);
  else consume(order, clock);
});

function produce(order: BaselineOrder, clock: ThreadClock): void {
  const startedAtMs = clock.monotonicMs();
  const makeMessage = MESSAGES[order.load ?? 'general'];
  let sent = 0;
  const next = (): void => {
    const due = dueCount(order, sent, startedAtMs, clock.monotonicMs());
    for (; sent < due; sent++)
      order.port.postMessage(makeMessage(sent, dueAtMs(order, sent, startedAtMs, clock.monotonicMs())));
    if (sent < order.count) setImmediate(next);
  };
  next();
}

function consume(order: BaselineOrder, clock: ThreadClock): void {
  const meter = new LoadMeter(order.count, order.load === 'newest');
  order.port.on('message', (message: AnyLoad) => {
    if (message.type === 'load-newest') meter.noteNewest(message, clock.monotonicMs());
    else meter.note(message.dueAtMs, clock.monotonicMs());
    if (meter.isComplete) {
      order.port.close();
      parentPort?.postMessage(meter.report());
    }
  });
}
