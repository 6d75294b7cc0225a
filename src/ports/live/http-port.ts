/** The HTTP door on undici: one pool per origin, own deadline, no retries of any kind. Connector threads only. */
import { Pool } from 'undici';
import type { TraceRef } from '../../runtime/actor.ts';
import type { PortsContext } from '../../runtime/ports-context.ts';
import { isCertificateCode } from '../../venues/access.ts';
import type { HttpAnswered, HttpFailed, HttpPort, HttpRequest, RequestRef } from '../ports.ts';

/** Connections per origin and the longest body accepted; a longer one is `unreadable`. */
const CONNECTIONS_PER_ORIGIN = 16;
const BODY_BYTES_MAX = 8 * 1024 * 1024;

/** Error codes of undici and Node that prove that no byte of the request left. */
const NOTHING_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

function failureOf(code: string): HttpFailed['code'] {
  if (NOTHING_SENT.has(code)) return 'refused';
  return isCertificateCode(code) ? 'untrusted' : 'reset';
}

/** The header has two forms, seconds and a date; readers get seconds, or what it was when it is neither. */
function secondsOf(retryAfter: string): string {
  if (/^\d+$/.test(retryAfter.trim())) return retryAfter.trim();
  const seconds = Math.ceil((Date.parse(retryAfter) - Date.now()) / 1_000);
  return seconds > 0 ? String(seconds) : retryAfter;
}

/** Opens the door for one actor incarnation; `dispose` cuts everything in flight without further messages. */
export function openHttpPort(
  deliver: (message: HttpAnswered | HttpFailed, cause: TraceRef) => void,
  calling: PortsContext['calling'] = () => 0,
): HttpPort & { dispose(): void } {
  const pools = new Map<string, Pool>();
  const live = new Map<RequestRef, AbortController>();
  let lastRef = 0;
  let disposed = false;

  function poolOf(origin: string): Pool {
    let pool = pools.get(origin);
    if (pool === undefined) {
      // Own deadline below: undici's header and body timeouts are coarse (they fire up to a second late).
      pool = new Pool(origin, {
        connections: CONNECTIONS_PER_ORIGIN,
        headersTimeout: 0,
        bodyTimeout: 0,
        keepAliveTimeout: 30_000,
      });
      pools.set(origin, pool);
    }
    return pool;
  }

  async function exchange(ref: RequestRef, request: HttpRequest): Promise<HttpAnswered | HttpFailed> {
    const abort = new AbortController();
    live.set(ref, abort);
    const deadline = setTimeout(() => abort.abort(), request.timeoutMs);
    try {
      const url = new URL(request.url);
      const answer = await poolOf(url.origin).request({
        method: request.method,
        path: url.pathname + url.search,
        headers: request.headers,
        body: request.body ?? null,
        signal: abort.signal,
      });
      let length = 0;
      const chunks: Buffer[] = [];
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > BODY_BYTES_MAX) {
          abort.abort();
          return { type: 'http-failed', ref, code: 'unreadable', detail: `body longer than ${BODY_BYTES_MAX} bytes` };
        }
        chunks.push(chunk);
      }
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(answer.headers)) {
        if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
      }
      const wait = headers['retry-after'];
      if (wait !== undefined) headers['retry-after'] = secondsOf(wait);
      return {
        type: 'http-answered',
        ref,
        status: answer.statusCode,
        headers,
        body: Buffer.concat(chunks).toString('utf8'),
      };
    } catch (error) {
      if (abort.signal.aborted)
        return { type: 'http-failed', ref, code: 'timeout', detail: `no complete answer in ${request.timeoutMs} ms` };
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      const detail = error instanceof Error ? `${code}: ${error.message}` : String(error);
      return { type: 'http-failed', ref, code: failureOf(code), detail };
    } finally {
      clearTimeout(deadline);
      live.delete(ref);
    }
  }

  return {
    send(request) {
      lastRef += 1;
      const ref = lastRef;
      const cause = calling('http-send', request.method);
      void exchange(ref, request).then((message) => {
        if (!disposed) deliver(message, cause);
      });
      return ref;
    },
    dispose() {
      disposed = true;
      for (const abort of live.values()) abort.abort();
      for (const pool of pools.values()) void pool.destroy();
    },
  };
}
