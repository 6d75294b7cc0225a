/** A bot interface like Telegram's on this machine: takes messages, hands out updates, asks to wait, or says nothing at all. */
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface TelegramServer {
  readonly host: string;
  /** Texts by chat, in order. */
  readonly messages: { readonly chatId: string; readonly text: string }[];
  /** Paths asked for with a wrong token. */
  readonly refused: string[];
  /** Somebody writes to the bot. */
  write(
    from: number,
    text: string,
    more?: { readonly chatId?: number; readonly type?: string; readonly ageSeconds?: number },
  ): void;
  /** How it behaves from now on. */
  behave(as: 'well' | 'hanging' | 'busy' | 'broken'): void;
  /** Settles when something happened that makes `predicate` true. */
  until(predicate: () => boolean): Promise<void>;
}

export async function startTelegram(token: string): Promise<TelegramServer> {
  const messages: { chatId: string; text: string }[] = [];
  const refused: string[] = [];
  const updates: { readonly update_id: number; readonly message: object }[] = [];
  const waiting = new Set<() => void>();
  let conduct = 'well';
  const wake = (): void => {
    for (const resolve of waiting) resolve();
    waiting.clear();
  };
  const news = (): Promise<void> => new Promise((resolve) => waiting.add(resolve));

  async function answer(path: string, body: Readonly<Record<string, unknown>>): Promise<readonly [number, object]> {
    if (!path.startsWith(`/bot${token}/`)) {
      refused.push(path);
      return [401, { ok: false }];
    }
    if (path.endsWith('/getUpdates')) {
      const offset = Number(body['offset']);
      while (updates.every((update) => update.update_id < offset)) await news();
      return [200, { ok: true, result: updates.filter((update) => update.update_id >= offset) }];
    }
    if (conduct === 'busy') {
      conduct = 'well';
      return [429, { ok: false, parameters: { retry_after: 1 } }];
    }
    if (conduct === 'broken') return [500, { ok: false }];
    messages.push({ chatId: String(body['chat_id']), text: String(body['text']) });
    return [200, { ok: true }];
  }

  const server = createServer((request, response) => {
    void read(request).then(async (body) => {
      const isHeld = conduct === 'hanging' && request.url?.endsWith('/sendMessage') === true;
      if (isHeld) {
        conduct = 'held';
        wake();
        return;
      }
      const [status, json] = await answer(request.url ?? '', JSON.parse(body) as Record<string, unknown>);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
      wake();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    host: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    messages,
    refused,
    write: (from, text, { chatId = from, type = 'private', ageSeconds = 0 } = {}) => {
      const date = Math.floor(Date.now() / 1_000) - ageSeconds;
      updates.push({
        update_id: updates.length + 100,
        message: { from: { id: from }, chat: { id: chatId, type }, text, date },
      });
      wake();
    },
    behave: (as) => {
      conduct = as;
    },
    until: async (predicate) => {
      while (!predicate()) await news();
    },
  };
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
