/** The HTTP door on undici: warm pools, own deadlines, no retries of any kind. Connector threads only. */
import type { Pool } from 'undici';
import type { TraceRef } from '../../runtime/actor.ts';
import type { PortsContext } from '../../runtime/ports-context.ts';
import { isCertificateCode } from '../../venues/access.ts';
import type { HttpAnswered, HttpFailed, HttpRequest, RequestRef } from '../ports.ts';
import type { SendingPort } from '../shared-reads.ts';
import { DEFAULT_POOLS, HttpPools } from './http-pools.ts';

/** The longest body accepted; a longer one is `unreadable`. */
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

/** Opens the door for one actor incarnation; `dispose` cuts everything in flight without further messages. The pools stay. */
export function openHttpPort(
  deliver: (message: HttpAnswered | HttpFailed, cause: TraceRef) => void,
  calling: PortsContext['calling'] = () => 0,
  pools: HttpPools = new HttpPools(DEFAULT_POOLS),
): SendingPort {
  const live = new Map<RequestRef, AbortController>();
  let lastRef = 0;
  let disposed = false;

  return {
    send(request) {
      lastRef += 1;
      const ref = lastRef;
      const cause = calling('http-send', request.method);
      const abort = new AbortController();
      live.set(ref, abort);
      let isEnded = false;
      const end = (message: HttpAnswered | HttpFailed): void => {
        if (isEnded) return;
        isEnded = true;
        clearTimeout(deadline);
        live.delete(ref);
        if (!disposed) deliver(message, cause);
      };
      let isSent = false;
      // The answer is the asker's at its deadline, whatever the connection is still busy with.
      const deadline = setTimeout(() => {
        leave();
        abort.abort();
        const detail = `no complete answer in ${request.timeoutMs} ms${isSent ? '' : ', it never left'}`;
        end({ type: 'http-failed', ref, code: isSent ? 'timeout' : 'refused', detail });
      }, request.timeoutMs);
      const url = new URL(request.url);
      const leave = pools.enter(url.origin, request.mutates === true, (place) => {
        if (isEnded || disposed) {
          place.release();
          return;
        }
        isSent = true;
        void exchange(place.pool, ref, url, request, abort)
          .then(end)
          .finally(() => place.release());
      });
      return ref;
    },
    dispose() {
      disposed = true;
      for (const abort of live.values()) abort.abort();
    },
  };
}

async function exchange(
  pool: Pool,
  ref: RequestRef,
  url: URL,
  request: HttpRequest,
  abort: AbortController,
): Promise<HttpAnswered | HttpFailed> {
  try {
    const answer = await pool.request({
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
    const body = Buffer.concat(chunks).toString('utf8');
    return { type: 'http-answered', ref, status: answer.statusCode, headers, body };
  } catch (error) {
    if (abort.signal.aborted)
      return { type: 'http-failed', ref, code: 'timeout', detail: `no complete answer in ${request.timeoutMs} ms` };
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const detail = error instanceof Error ? `${code}: ${error.message}` : String(error);
    return { type: 'http-failed', ref, code: failureOf(code), detail };
  }
}

/** The header has two forms, seconds and a date; readers get seconds, or what it was when it is neither. */
function secondsOf(retryAfter: string): string {
  if (/^\d+$/.test(retryAfter.trim())) return retryAfter.trim();
  const seconds = Math.ceil((Date.parse(retryAfter) - Date.now()) / 1_000);
  return seconds > 0 ? String(seconds) : retryAfter;
}
