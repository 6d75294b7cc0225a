/**
 * Answers that many ask for at once: each is made once and given to all, ready compressed. While it is made anew, the one before is
 * given, as long as that is not too old; so no number of askers makes the engine work more than a few times a second. Main thread only.
 */
import { performance } from 'node:perf_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import type { Metrics } from '../runtime/metrics.ts';

/** What may be shared: pictures, none of which anybody waits on to see what came of an act. */
const SHARED = /^\/(?:metrics|debug\/(?:actors|threads|rings|traces|stats|metrics|alerts|eval\/last))(?:\?[^#]*)?$/;
/** Fresh for this long; and not given at all when older than this. */
const FRESH_MS = 250;
const STALE_MS_MAX = 1_000;
const PAGES_MAX = 64;
const BODY_BYTES_MAX = 4 * 1_024 * 1_024;

export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly madeAtMs: number;
}

/** Makes an answer by asking the routes. */
export type MakePage = (request: {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}) => Promise<Response>;

export class SharedPages {
  readonly #pages: LRUCache<string, Page>;
  readonly #metrics: Metrics | undefined;

  constructor(make: MakePage, metrics: Metrics | undefined) {
    this.#metrics = metrics;
    this.#pages = new LRUCache<string, Page>({
      max: PAGES_MAX,
      ttl: FRESH_MS,
      allowStale: true,
      fetchMethod: async (key) => {
        const [encoding = '', url = '', authorization = ''] = split(key);
        return await pageOf(await make({ url, headers: { authorization, 'accept-encoding': encoding } }));
      },
    });
  }

  /** Whether the request is for what is shared. Its token must have been looked at before it is served. */
  isShared({ method, url }: IncomingMessage): boolean {
    return method === 'GET' && SHARED.test(url ?? '');
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const encoding = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? '')) ? 'gzip' : 'identity';
    // Whose token it is does not matter, there is one; but the routes look at it again.
    const key = [encoding, request.url ?? '', request.headers.authorization ?? ''].join(SEPARATOR);
    const known = this.#pages.peek(key, { allowStale: true });
    const isUsable = known !== undefined && performance.now() - known.madeAtMs < STALE_MS_MAX;
    this.#metrics?.counter(isUsable ? 'cache_hits_total' : 'cache_misses_total', { cache: 'debug-pages' }).add();
    const page = isUsable
      ? await this.#pages.fetch(key)
      : await this.#pages.fetch(key, { forceRefresh: true, allowStale: false });
    if (page === undefined) throw new Error(`no answer was made for ${request.url}`);
    if (page.status !== 200) this.#pages.delete(key);
    response.writeHead(page.status, { ...page.headers, 'content-length': String(page.body.length) }).end(page.body);
  }
}

const SEPARATOR = '\u001f';

function split(key: string): readonly string[] {
  return key.split(SEPARATOR);
}

async function pageOf(response: Response): Promise<Page> {
  const body = Buffer.from(await response.arrayBuffer());
  if (body.length > BODY_BYTES_MAX)
    throw new Error(`an answer must have at most ${BODY_BYTES_MAX} bytes, had ${body.length}`);
  const headers: Record<string, string> = {};
  response.headers.forEach((value, name) => {
    // Of the body as it was sent in pieces, which it is not here.
    if (name !== 'transfer-encoding' && name !== 'content-length') headers[name] = value;
  });
  return { status: response.status, headers, body, madeAtMs: performance.now() };
}
