/** The way to the control server: the token of this tab, requests with it, and what to do when it is wrong. Browser. */
import { useEffect, useRef, useState } from 'preact/hooks';

const TOKEN_KEY = 'tandem-token';
const REQUEST_MS = 8_000;

/** The server said no, or did not answer. */
export class RequestFailed extends Error {
  readonly status: number;
  constructor(status: number, detail: string) {
    super(detail);
    this.name = 'RequestFailed';
    this.status = status;
  }
}

/**
 * Returns the token of this tab. A link may bring it behind `#token=`, where no server and no log sees it; it leaves the address
 * at once, so that the address can be shown to others.
 */
export function readToken(): string | undefined {
  const brought = /[#&]token=([0-9a-f]{64})/.exec(location.hash)?.[1];
  if (brought !== undefined) {
    sessionStorage.setItem(TOKEN_KEY, brought);
    history.replaceState(null, '', `${location.pathname}#/`);
  }
  return sessionStorage.getItem(TOKEN_KEY) ?? undefined;
}

export function keepToken(token: string): void {
  sessionStorage.setItem(TOKEN_KEY, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(TOKEN_KEY);
}

const lost = new Set<() => void>();

/** Calls back when the server does not take the token any more. Returns how to stop listening. */
export function onTokenRefused(listener: () => void): () => void {
  lost.add(listener);
  return () => lost.delete(listener);
}

interface Asked {
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Reads one path. Throws RequestFailed. */
export async function get<Answer>(path: string): Promise<Answer> {
  return await ask<Answer>(path, { method: 'GET' });
}

/** Asks for a change. Throws RequestFailed with the server's own words. */
export async function post<Answer>(path: string, body: object): Promise<Answer> {
  return await ask<Answer>(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-tandem': '1' },
    body: JSON.stringify(body),
  });
}

async function ask<Answer>(path: string, init: Asked): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(path, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${readToken() ?? ''}` },
      signal: AbortSignal.timeout(REQUEST_MS),
    });
  } catch {
    throw new RequestFailed(0, 'the engine does not answer: is it running?');
  }
  const text = await response.text();
  // Every answer of the server is JSON of a shape its routes document.
  const body = (text === '' ? {} : JSON.parse(text)) as Answer & { readonly error?: string };
  if (response.ok || (response.status === 503 && body.error === undefined)) return body;
  if (response.status === 401) for (const listener of lost) listener();
  throw new RequestFailed(response.status, body.error ?? `answer ${response.status}`);
}

export interface Polled<Answer> {
  readonly data: Answer | undefined;
  readonly failure: RequestFailed | undefined;
  /** Asks again at once. */
  readonly refresh: () => void;
}

/** Asks for a path now and every `everyMs` while the page is visible; the last good answer stays while asking fails. */
export function usePoll<Answer>(path: string | undefined, everyMs = 1_000): Polled<Answer> {
  const [data, setData] = useState<Answer>();
  const [failure, setFailure] = useState<RequestFailed>();
  const again = useRef<() => void>(() => undefined);
  useEffect(() => {
    if (path === undefined) return undefined;
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isAsking = false;
    setData(undefined);
    setFailure(undefined);
    const round = async (): Promise<void> => {
      if (isAsking) return;
      isAsking = true;
      clearTimeout(timer);
      try {
        const answer = await get<Answer>(path);
        if (isOver) return;
        setData(answer);
        setFailure(undefined);
      } catch (error) {
        if (!isOver) setFailure(error instanceof RequestFailed ? error : new RequestFailed(0, String(error)));
      } finally {
        isAsking = false;
      }
      if (!isOver && everyMs > 0) timer = setTimeout(next, everyMs);
    };
    const next = (): void => {
      if (document.visibilityState === 'visible') void round();
      else timer = setTimeout(next, everyMs);
    };
    again.current = () => void round();
    void round();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [path, everyMs]);
  return { data, failure, refresh: () => again.current() };
}
