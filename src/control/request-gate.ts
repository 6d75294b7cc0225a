/**
 * The gate in front of every route: who speaks to the control server must have meant it. A web page in the operator's browser
 * can send requests here too, under any host name that resolves to this machine; none of them passes. Pure, main thread.
 */

export interface GateRequest {
  readonly method: string;
  /** The request target as it stands in the request line. */
  readonly target: string;
  /** Name, value, name, value, ..., as received: repeated headers stay visible. */
  readonly rawHeaders: readonly string[];
}

/** Header that no HTML form and no cross-site script can add without asking first. */
export const INTENT_HEADER = 'x-tandem';

/** Returns true when the request may be looked at; a change also needs `missingHeader` to find nothing. `hosts` are the allowed values of Host, with their port. */
export function passesGate(request: GateRequest, hosts: ReadonlySet<string>): boolean {
  const [host, ...otherHosts] = valuesOf(request, 'host');
  if (host === undefined || otherHosts.length > 0 || !hosts.has(host.toLowerCase())) return false;
  // The absolute form names a host a second time.
  if (!request.target.startsWith('/')) return false;
  const isOwnOrigin = (origin: string): boolean =>
    origin.startsWith('http://') && hosts.has(origin.slice('http://'.length).toLowerCase());
  if (!valuesOf(request, 'origin').every(isOwnOrigin)) return false;
  if (!valuesOf(request, 'sec-fetch-site').every((site) => site === 'none' || site === 'same-origin')) return false;
  return true;
}

/** Returns the header a change lacks, with its value, as `X-Tandem: 1`; undefined when the request lacks none. */
export function missingHeader(request: GateRequest): string | undefined {
  if (request.method !== 'POST') return undefined;
  const [type, ...otherTypes] = valuesOf(request, 'content-type');
  const [intent, ...otherIntents] = valuesOf(request, INTENT_HEADER);
  const isJson = type !== undefined && /^application\/json(?:;\s*charset=utf-8)?$/i.test(type);
  if (!isJson || otherTypes.length > 0) return 'Content-Type: application/json';
  return intent !== '1' || otherIntents.length > 0 ? 'X-Tandem: 1' : undefined;
}

function valuesOf({ rawHeaders }: GateRequest, name: string): readonly string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}

/** Returns the allowed hosts of a server that listens on `host`: itself and the names of this machine's loopback. */
export function allowedHosts(host: string, port: number): ReadonlySet<string> {
  const bracketed = host.includes(':') ? `[${host}]` : host;
  return new Set(['127.0.0.1', 'localhost', '[::1]', bracketed].map((name) => `${name.toLowerCase()}:${port}`));
}
