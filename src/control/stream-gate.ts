/** Who may open the stream: the same gate and the same token as every request, or nothing is said but no. Main thread only. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { PROTOCOL } from '../observe/live/stream.ts';
import { passesGate } from './request-gate.ts';

export const STREAM_PATH = '/stream';
/** A page cannot send headers with a WebSocket: it offers its token as a protocol instead, beside the one it speaks. */
const TOKEN_PROTOCOL = 'bearer.';

export interface StreamDoor {
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** Takes one upgrade: opens the door, or answers with a bare status and ends the connection. */
export function takeUpgrade(
  { request, socket, head }: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
  door: StreamDoor | undefined,
  hosts: ReadonlySet<string>,
  hasToken: (authorization: string | undefined) => boolean,
): void {
  // A peer that goes away while it is refused is no event.
  socket.on('error', () => socket.destroy());
  const { method = '', url = '', rawHeaders } = request;
  if (!passesGate({ method, target: url, rawHeaders }, hosts)) return refuse(socket, '403 Forbidden');
  if (!hasToken(request.headers.authorization ?? offeredToken(request))) return refuse(socket, '401 Unauthorized');
  if (door === undefined || url !== STREAM_PATH) return refuse(socket, '404 Not Found');
  door.accept(request, socket, head);
}

/** The token among the offered protocols, as a header would carry it. */
function offeredToken(request: IncomingMessage): string | undefined {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
  const token = offered.find((one) => one.startsWith(TOKEN_PROTOCOL));
  return token === undefined || !offered.includes(PROTOCOL)
    ? undefined
    : `Bearer ${token.slice(TOKEN_PROTOCOL.length)}`;
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
