/** Where notices go: the log, the stream to dashboards, a Telegram chat, any address that takes JSON. Main thread only. */
import type { LogLevel } from '../../runtime/ports-context.ts';
import { noticeText } from '../notice-text.ts';
import type { MetricPoint } from './collector.ts';
import type { OutboundAnswer, OutboundCall } from './outbound.ts';
import { SinkBusy } from './sink-queue.ts';
import type { Sink } from './sink-queue.ts';

type Call = (call: OutboundCall) => Promise<OutboundAnswer>;

const LOG_LEVELS = { info: 'info', warning: 'warn', critical: 'error' } as const;

/** Log events `alert-raised` and `alert-resolved`. */
export function logSink(
  log: (level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>) => void,
): Sink {
  return {
    name: 'log',
    send: (notice) => {
      const { type, ...fields } = notice;
      log(type === 'raised' ? LOG_LEVELS[notice.severity] : 'info', `alert-${type}`, { ...fields });
      return Promise.resolve();
    },
  };
}

/** Points of the metric `alert` on the stream: 1 raised, 0 resolved. */
export function dashboardSink(publish: (points: readonly MetricPoint[]) => void): Sink {
  return {
    name: 'dashboard',
    send: (notice) => {
      const { rule, severity, metric, atMs } = notice;
      const labels = { ...notice.labels, rule, severity, metric, text: noticeText(notice) };
      publish([{ timestamp: atMs, metric: 'alert', value: Number(notice.type === 'raised'), labels }]);
      return Promise.resolve();
    },
  };
}

export interface TelegramAccount {
  /** For example https://api.telegram.org. */
  readonly host: string;
  /** Of the bot; a secret. */
  readonly token: string;
}

/** One message to each chat. */
export function telegramSink(account: TelegramAccount, chatIds: readonly string[], call: Call): Sink {
  return {
    name: 'telegram',
    send: async (notice, signal) => {
      const text = noticeText(notice);
      for (const chatId of chatIds) await sendTelegram(account, { chatId, text, signal }, call);
    },
  };
}

/** Sends one message. Rejects with SinkBusy when Telegram asks to wait, with another error when it refuses. */
export async function sendTelegram(
  { host, token }: TelegramAccount,
  { chatId, text, signal }: { readonly chatId: string; readonly text: string; readonly signal: AbortSignal },
  call: Call,
): Promise<void> {
  const { status, json } = await call({
    url: `${host}/bot${token}/sendMessage`,
    body: { chat_id: chatId, text },
    signal,
    venue: 'telegram',
    endpoint: 'sendMessage',
  });
  if (status === 429) throw new SinkBusy('telegram', retryAfterMs(json));
  if (status >= 400) throw new Error(`telegram refused with status ${status}`);
}

function retryAfterMs(json: unknown): number {
  const seconds = (json as { readonly parameters?: { readonly retry_after?: unknown } } | undefined)?.parameters
    ?.retry_after;
  return typeof seconds === 'number' && seconds > 0 ? seconds * 1_000 : 1_000;
}

/** A POST of the notice as JSON, with its text. */
export function webhookSink(url: string, call: Call): Sink {
  return {
    name: 'webhook',
    send: async (notice, signal) => {
      const body = { ...notice, message: noticeText(notice) };
      const { status } = await call({ url, body, signal, venue: 'webhook', endpoint: 'notice' });
      if (status >= 400) throw new Error(`webhook refused with status ${status}`);
    },
  };
}
