/** The control server: an HTTP server on this machine's loopback in front of the engine's own answers. Main thread only. */
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Metrics } from '../runtime/metrics.ts';
import { controlApp } from './control-app.ts';
import type { ControlAppOptions } from './control-app.ts';
import { carriesToken } from './control-token.ts';
import { FailedTokens } from './failed-tokens.ts';
import { allowedHosts, missingHeader, passesGate } from './request-gate.ts';
import { SharedPages } from './shared-pages.ts';
import { takeUpgrade } from './stream-gate.ts';
import type { StreamDoor } from './stream-gate.ts';

/** A browser keeps six for each window; whoever measures opens fifty. */
export const CONNECTIONS_MAX = 128;
const HEADER_BYTES_MAX = 8 * 1024;
const HEADERS_MS_MAX = 5_000;
const REQUEST_MS_MAX = 10_000;
/** How often the two above are looked at: they end at most this much late. */
const DEADLINE_CHECK_MS = 1_000;

export interface ControlServerOptions extends Omit<ControlAppOptions, 'failedTokens'> {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Must be true for an address that is not loopback. */
  readonly allowRemote: boolean;
  /** Whoever takes WebSockets at /stream; absent: nobody does. Closed by whoever made it, before this server is. */
  readonly stream?: StreamDoor;
  /** Of the main thread, for what the server counts of itself. */
  readonly metrics?: Metrics;
  /** Monotonic ms; only differences are used. */
  readonly monotonicMs: () => number;
}

export interface ControlServer {
  /** Where it answers, for example `http://127.0.0.1:7070`. */
  readonly address: string;
  readonly port: number;
  /** Ends all connections and settles when the port is free. */
  close(): Promise<void>;
}

/** The control server may not or cannot listen where it was told to. */
export class ControlServerRefused extends Error {
  readonly code = 'control-server-refused';

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ControlServerRefused';
  }
}

/** Starts to listen. Rejects with ControlServerRefused. */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const { host, allowRemote } = options;
  if (!allowRemote && !isLoopback(host)) {
    throw new ControlServerRefused(
      `control.host must be a loopback address unless control.allowRemote is true, was "${host}"`,
    );
  }
  const failedTokens = new FailedTokens(options.monotonicMs);
  const app = controlApp({ ...options, failedTokens });
  const hasToken = (authorization: string | undefined): boolean => {
    if (authorization === undefined || failedTokens.silenceMs() > 0) return false;
    if (carriesToken(authorization, options.token)) return true;
    failedTokens.record();
    return false;
  };
  /** Says nothing of a wrong token: the routes do that. */
  const isKnown = (authorization: string | undefined): boolean =>
    authorization !== undefined && failedTokens.silenceMs() === 0 && carriesToken(authorization, options.token);
  const pages = new SharedPages(
    async (page) => await app.request(`http://localhost${page.url}`, { headers: page.headers }),
    options.metrics,
  );
  // Its own Request and Response classes stay with this server: the rest of the process keeps the platform's.
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  let hosts: ReadonlySet<string> = new Set();
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_MS_MAX,
      requestTimeout: REQUEST_MS_MAX,
      connectionsCheckingInterval: DEADLINE_CHECK_MS,
      keepAliveTimeout: HEADERS_MS_MAX,
    },
    (request, response) => {
      const { method = '', url = '', rawHeaders } = request;
      const asked = { method, target: url, rawHeaders };
      if (!passesGate(asked, hosts)) return forbid(response);
      if (pages.isShared(request) && isKnown(request.headers.authorization)) {
        pages.serve(request, response).catch((error: unknown) => {
          options.log('error', 'control-request-failed', { path: url, error });
          fail(response);
        });
        return;
      }
      const missing = missingHeader(asked);
      if (missing === undefined) void listener(request, response);
      // Only whoever has the token is told more than no.
      else if (hasToken(request.headers.authorization)) forbid(response, `a change needs the header ${missing}`);
      else forbid(response);
    },
  );
  server.on('upgrade', (request, socket, head) => {
    takeUpgrade({ request, socket, head }, options.stream, hosts, hasToken);
  });
  server.maxConnections = CONNECTIONS_MAX;
  const port = await listen(server, options);
  hosts = allowedHosts(host, port);
  return {
    address: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function fail(response: ServerResponse): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(500, { 'content-length': '0' }).end();
}

/** Says no, and why only to who may know. */
function forbid(response: ServerResponse, error?: string): void {
  const body = error === undefined ? '' : JSON.stringify({ error });
  const type = body === '' ? {} : { 'content-type': 'application/json' };
  response
    .writeHead(403, { ...type, 'content-length': String(Buffer.byteLength(body)), connection: 'close' })
    .end(body);
}

function listen(server: Server, { host, port }: ControlServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: Error) => {
      reject(
        new ControlServerRefused(`the control server cannot listen on ${host} port ${port}: ${cause.message}`, cause),
      );
    });
    server.listen({ host, port }, () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new ControlServerRefused('a TCP port was expected'));
      else resolve(address.port);
    });
  });
}

function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  const version = isIP(host);
  if (version === 0) return false;
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8, 'ipv4');
  loopback.addAddress('::1', 'ipv6');
  return loopback.check(host, version === 4 ? 'ipv4' : 'ipv6');
}
