/**
 * What the doors and the doctor make of a venue that cannot prove who it is, on real TLS. The certificates in `fixtures/tls` were made once
 * for this test: an authority that only this process trusts, and servers of localhost that are good until 2120, expired since 2021, not
 * yet valid, of another name, or signed by nobody but themselves. All share one key that guards nothing.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { examineAccount } from '../../src/composition/live/doctor.ts';
import { openHttpPort } from '../../src/ports/live/http-port.ts';
import { openSocketPort } from '../../src/ports/live/socket-port.ts';
import type { HttpAnswered, HttpFailed, SocketMessage } from '../../src/ports/ports.ts';
import { demoAccount } from '../../src/simulation/demo-accounts.ts';

const fixture = (name: string): string =>
  readFileSync(join(import.meta.dirname, 'fixtures', 'tls', `${name}.pem`), 'utf8');

const trusted = getCACertificates('default');
beforeAll(() => setDefaultCACertificates([...trusted, fixture('ca')]));
afterAll(() => setDefaultCACertificates(trusted));

/** Requests and upgrades that got past the handshake. */
let heard = 0;

async function serve(certificate: string): Promise<number> {
  heard = 0;
  const server: Server = createServer({ cert: fixture(certificate), key: fixture('key') }, (_request, response) => {
    heard += 1;
    response.end('{}');
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', () => {
    heard += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function ask(port: number): Promise<HttpAnswered | HttpFailed> {
  return new Promise((resolve) => {
    const http = openHttpPort(resolve);
    onTestFinished(() => http.dispose());
    http.send({ method: 'GET', url: `https://localhost:${port}/time`, headers: {}, timeoutMs: 60_000 });
  });
}

function connect(port: number): Promise<SocketMessage> {
  return new Promise((resolve) => {
    const sockets = openSocketPort(resolve, () => 0);
    onTestFinished(() => sockets.dispose());
    sockets.open(`wss://localhost:${port}/stream`, {});
  });
}

it('a good certificate is taken by both doors', async () => {
  const port = await serve('good');
  expect(await ask(port)).toMatchObject({ type: 'http-answered', status: 200 });
  expect(await connect(port)).toMatchObject({ type: 'socket-opened' });
});

it.each([
  ['expired', 'CERT_HAS_EXPIRED'],
  ['early', 'CERT_NOT_YET_VALID'],
  ['other', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['self', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
])(
  'a certificate that is %s is refused by both doors before a byte is sent, and the doctor says so',
  async (name, code) => {
    const port = await serve(name);
    const detail: unknown = expect.stringContaining(code);
    expect(await ask(port)).toMatchObject({ type: 'http-failed', code: 'untrusted', detail });
    expect(await connect(port)).toMatchObject({ type: 'socket-closed', isUntrusted: true, detail });

    const { options, secrets } = demoAccount('bybit', 'main');
    const subject = {
      venue: 'bybit',
      account: 'main',
      restUrl: `https://localhost:${port}`,
      streamUrl: `wss://localhost:${port}`,
      options,
      secrets: { type: 'published' as const, secrets },
      symbols: ['BTC'],
      calendarScale: 1,
      clockWarnOffsetMs: 500,
    };
    const findings = new Map<string, string>();
    const now = () => ({ monotonicMs: performance.now(), calendarMs: Date.now() });
    for await (const { step, status, detail: said } of examineAccount(subject, now))
      findings.set(step, `${status}: ${said}`);
    expect(findings.get('connection')).toMatch(
      new RegExp(
        `^failed: the certificate of bybit is not trusted \\(${code}: .*\\): check this machine's clock and who answers at that address`,
      ),
    );
    expect([...findings.values()].filter((finding) => finding.startsWith('failed'))).toHaveLength(1);
    expect(heard).toBe(0);
  },
);
