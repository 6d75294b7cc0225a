/** An HTTP server that answers everything alike after a fixed time, and tells its port. A worker of the benchmarks. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

const { delayMs, bodyBytes } = workerData as { readonly delayMs: number; readonly bodyBytes: number };
const body = JSON.stringify({ list: 'x'.repeat(bodyBytes) });

const server = createServer((request, response) => {
  request.resume();
  const answer = (): void => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(body.length) });
    response.end(body);
  };
  if (delayMs > 0) setTimeout(answer, delayMs);
  else answer();
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port));
