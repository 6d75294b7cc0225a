/** The WebSocket door on ws: text frames in and out, cut with terminate, never a hidden reconnect. Connector threads only. */
import { WebSocket } from 'ws';
import type { PortsContext } from '../../runtime/ports-context.ts';
import { isCertificateCode } from '../../venues/access.ts';
import type { SocketMessage, SocketPort, SocketRef } from '../ports.ts';

const FRAME_BYTES_MAX = 4 * 1024 * 1024;
const HANDSHAKE_MS = 10_000;
/** More unsent bytes than this mean a dead or choking peer: the socket is cut rather than buffering without bound. */
const UNSENT_BYTES_MAX = 1024 * 1024;

/** Opens the door for one actor incarnation; `dispose` cuts every socket without further messages. */
export function openSocketPort(
  deliver: (message: SocketMessage) => void,
  monotonicMs: () => number,
  calling: PortsContext['calling'] = () => 0,
): SocketPort & { dispose(): void } {
  const sockets = new Map<SocketRef, WebSocket>();
  let lastRef = 0;
  let disposed = false;

  function tell(message: SocketMessage): void {
    if (!disposed) deliver(message);
  }

  function closed(ref: SocketRef, code: number, detail: string): void {
    if (sockets.delete(ref)) tell({ type: 'socket-closed', ref, code, detail });
  }

  function failed(ref: SocketRef, error: Error): void {
    const code = 'code' in error ? String(error.code) : '';
    if (!isCertificateCode(code)) closed(ref, 1006, error.message);
    else if (sockets.delete(ref))
      tell({ type: 'socket-closed', ref, code: 1006, detail: `${code}: ${error.message}`, isUntrusted: true });
  }

  return {
    open(url, headers) {
      lastRef += 1;
      const ref = lastRef;
      const socket = new WebSocket(url, {
        headers,
        handshakeTimeout: HANDSHAKE_MS,
        maxPayload: FRAME_BYTES_MAX,
        perMessageDeflate: false,
      });
      sockets.set(ref, socket);
      socket.on('open', () => tell({ type: 'socket-opened', ref }));
      socket.on('message', (data, isBinary) => {
        if (isBinary) {
          closed(ref, 1003, 'binary frame');
          socket.terminate();
          return;
        }
        tell({ type: 'socket-frame', ref, text: data.toString(), receivedAtMonotonicMs: monotonicMs() });
      });
      socket.on('ping', () => tell({ type: 'socket-heartbeat', ref }));
      socket.on('pong', () => tell({ type: 'socket-heartbeat', ref }));
      socket.on('unexpected-response', (_request, response) => {
        closed(ref, response.statusCode ?? 1006, `handshake answered ${response.statusCode ?? 'nothing'}`);
        socket.terminate();
      });
      socket.on('error', (error) => failed(ref, error));
      socket.on('close', (code, reason) => closed(ref, code, reason.toString()));
      return ref;
    },
    send(ref, text) {
      const socket = sockets.get(ref);
      if (socket === undefined || socket.readyState !== WebSocket.OPEN) return false;
      if (socket.bufferedAmount > UNSENT_BYTES_MAX) {
        closed(ref, 1006, `more than ${UNSENT_BYTES_MAX} bytes unsent`);
        socket.terminate();
        return false;
      }
      // What comes back over a socket names no request of ours here: its reader knows which trace it continues.
      calling('socket-send');
      socket.send(text);
      return true;
    },
    terminate(ref) {
      sockets.get(ref)?.terminate();
      closed(ref, 1006, 'cut by us');
    },
    dispose() {
      disposed = true;
      for (const socket of sockets.values()) socket.terminate();
      sockets.clear();
    },
  };
}
