/** The door of everything that watches to the outside: one JSON request, timed and counted like those of connectors. Main thread only. */
import { request } from 'undici';
import type { Metrics } from '../../runtime/metrics.ts';

const ANSWER_BYTES_MAX = 1_048_576;

export interface OutboundCall {
  readonly url: string;
  /** Sent as JSON. */
  readonly body: object;
  readonly signal: AbortSignal;
  /** What it is timed as: who is called, and for what. */
  readonly venue: string;
  readonly endpoint: string;
}

export interface OutboundAnswer {
  readonly status: number;
  /** The parsed body; undefined when it is no JSON or too long. */
  readonly json: unknown;
}

/** A call that got no answer. Its words never hold the address: that may be a secret. */
export class OutboundFailed extends Error {
  override readonly name = 'OutboundFailed';
}

/** Returns a function that makes one call: no redirects, no retries. Rejects with OutboundFailed. */
export function outboundDoor(
  metrics: Metrics,
  monotonicMs: () => number,
): (call: OutboundCall) => Promise<OutboundAnswer> {
  return async ({ url, body, signal, venue, endpoint }) => {
    const beganAtMs = monotonicMs();
    try {
      const answer = await request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal,
      });
      const json = await readJson(answer.body);
      if (answer.statusCode >= 400)
        metrics.counter('api_errors_total', { venue, code: String(answer.statusCode) }).add();
      return { status: answer.statusCode, json };
    } catch (error) {
      const code = signal.aborted
        ? 'timeout'
        : error instanceof Error && 'code' in error
          ? String(error.code)
          : 'unknown';
      metrics.counter('api_errors_total', { venue, code }).add();
      throw new OutboundFailed(`${venue} ${endpoint} got no answer: ${code}`);
    } finally {
      metrics.distribution('api_call_latency', { venue, endpoint }).record(monotonicMs() - beganAtMs);
    }
  };
}

async function readJson(body: AsyncIterable<Buffer>): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}
