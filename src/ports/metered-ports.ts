/** Counts and times what goes through the doors to the outside; the only way to a venue leads through here. Connector threads. */
import type { TraceRef } from '../runtime/actor.ts';
import type { Counter, Distribution, Metrics } from '../runtime/metrics.ts';
import type { HttpAnswered, HttpFailed, RequestRef, SocketMessage, SocketPort, SocketRef } from './ports.ts';
import type { SendingPort } from './shared-reads.ts';

/** A door with its end. */
type Door<Port> = Port & { dispose(): void };

type Deliver<Message> = (message: Message, cause?: TraceRef) => void;

/** Who uses the door, and where that is recorded. */
export interface Meter {
  readonly metrics: Metrics;
  readonly venue: string;
  readonly monotonicMs: () => number;
}

/** Returns the venue of a connector by its path, for example `connector/lighter:main`. */
export function venueOf(path: string): string {
  return /^[^/]*\/([^:]+)/.exec(path)?.[1] ?? path;
}

/** Opens an HTTP door that records `api_call_latency` by endpoint, whatever comes of the call, and failures by their code. */
export function meteredHttp(
  { metrics, venue, monotonicMs }: Meter,
  deliver: Deliver<HttpAnswered | HttpFailed>,
  open: (deliver: Deliver<HttpAnswered | HttpFailed>) => SendingPort,
): SendingPort {
  const under = new Map<RequestRef, { readonly sentAtMs: number; readonly endpoint: string }>();
  const latencies = new Map<string, Distribution>();
  const latencyOf = (endpoint: string): Distribution => {
    let latency = latencies.get(endpoint);
    if (latency === undefined) {
      latency = metrics.distribution('api_call_latency', { venue, endpoint });
      latencies.set(endpoint, latency);
    }
    return latency;
  };
  const door = open((message, cause) => {
    const call = under.get(message.ref);
    under.delete(message.ref);
    if (call !== undefined) {
      latencyOf(call.endpoint).record(monotonicMs() - call.sentAtMs);
      if (message.type === 'http-failed') metrics.counter('api_errors_total', { venue, code: message.code }).add();
      else if (message.status >= 400)
        metrics.counter('api_errors_total', { venue, code: String(message.status) }).add();
    }
    deliver(message, cause);
  });
  return {
    send(request, endpoint) {
      const sentAtMs = monotonicMs();
      const ref = door.send(request, endpoint);
      under.set(ref, { sentAtMs, endpoint: endpoint ?? request.method });
      return ref;
    },
    dispose: () => door.dispose(),
  };
}

/** Opens a socket door that counts text frames by channel and direction. */
export function meteredSocket(
  { metrics, venue }: Omit<Meter, 'monotonicMs'>,
  deliver: Deliver<SocketMessage>,
  open: (deliver: Deliver<SocketMessage>) => Door<SocketPort>,
): Door<SocketPort> {
  const frames = new Map<SocketRef, { readonly received: Counter; readonly sent: Counter }>();
  const counter = (channel: string, direction: string): Counter =>
    metrics.counter('websocket_messages_total', { venue, channel, direction });
  const door = open((message, cause) => {
    if (message.type === 'socket-frame') frames.get(message.ref)?.received.add();
    else if (message.type === 'socket-closed') frames.delete(message.ref);
    deliver(message, cause);
  });
  return {
    open(url, headers, socketName = 'other') {
      const ref = door.open(url, headers, socketName);
      // Sockets of one symbol each are one channel: symbols are too many to count one by one.
      const channel = socketName.replace(/:.*/, '');
      frames.set(ref, { received: counter(channel, 'in'), sent: counter(channel, 'out') });
      return ref;
    },
    send(ref, text) {
      const isSent = door.send(ref, text);
      if (isSent) frames.get(ref)?.sent.add();
      return isSent;
    },
    terminate: (ref) => door.terminate(ref),
    dispose: () => door.dispose(),
  };
}
