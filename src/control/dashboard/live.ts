/** The stream of points, one connection for the whole page: who shows a metric asks for it, the last one to leave lets it go. Browser. */
import { readToken } from './session.ts';

export interface StreamPoint {
  /** Epoch ms. */
  readonly timestamp: number;
  readonly metric: string;
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
}

type Listener = (point: StreamPoint) => void;

const REOPEN_MS = 3_000;

const listeners = new Map<string, Set<Listener>>();
let socket: WebSocket | undefined;
let reopening: ReturnType<typeof setTimeout> | undefined;

/** Calls back with each new point of a metric. Returns how to stop. */
export function listen(metric: string, listener: Listener): () => void {
  const known = listeners.get(metric);
  if (known === undefined) {
    listeners.set(metric, new Set([listener]));
    askAnew();
  } else {
    known.add(listener);
  }
  return () => {
    const own = listeners.get(metric);
    own?.delete(listener);
    if (own?.size !== 0) return;
    listeners.delete(metric);
    askAnew();
  };
}

/** Says what is wanted now; the wish replaces the one before. Nothing wanted, nothing open. */
function askAnew(): void {
  if (listeners.size === 0) {
    clearTimeout(reopening);
    socket?.close();
    socket = undefined;
    return;
  }
  if (socket === undefined) open();
  else if (socket.readyState === WebSocket.OPEN) sayWhatIsWanted(socket);
}

function open(): void {
  const opened = new WebSocket(`ws://${location.host}/stream`, ['tandem.v1', `bearer.${readToken() ?? ''}`]);
  socket = opened;
  opened.onopen = () => sayWhatIsWanted(opened);
  opened.onmessage = ({ data }: MessageEvent<string>) => {
    // What this engine's own stream says.
    const point = JSON.parse(data) as StreamPoint;
    for (const listener of listeners.get(point.metric) ?? []) listener(point);
  };
  opened.onclose = () => {
    if (socket !== opened) return;
    socket = undefined;
    reopening = setTimeout(askAnew, REOPEN_MS);
  };
}

function sayWhatIsWanted(on: WebSocket): void {
  on.send(JSON.stringify({ reset: true }));
  on.send(JSON.stringify({ subscribe: { metrics: [...listeners.keys()] } }));
}
