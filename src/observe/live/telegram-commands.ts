/** Listens to a Telegram bot for commands and carries out what chat-commands.ts decides. Main thread only. */
import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { LogLevel } from '../../runtime/ports-context.ts';
import { decideChat, newChatCommands } from '../chat-commands.ts';
import type { ChatAct, ChatCommandsState, ChatFacts, ChatMessage } from '../chat-commands.ts';
import type { OutboundAnswer, OutboundCall } from './outbound.ts';
import { sendTelegram } from './sinks.ts';
import type { TelegramAccount } from './sinks.ts';

export interface TelegramCommandsOptions {
  readonly account: TelegramAccount;
  /** Numeric ids of those who may command, as text. */
  readonly userIds: readonly string[];
  readonly call: (call: OutboundCall) => Promise<OutboundAnswer>;
  readonly facts: () => Promise<ChatFacts>;
  readonly act: (act: ChatAct, userId: string) => void;
  readonly log: (level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Epoch ms. */
  readonly nowMs: () => number;
  /** How long Telegram holds a question open, s. */
  readonly pollSeconds: number;
  readonly timeoutMs: number;
}

/** A command that waited longer than this was meant for another moment: the engine may have been away. */
const STALE_MS = 60_000;
const PAUSE_AFTER_FAILURE_MS = 5_000;
const CODE_DIGITS = 1_000_000;

interface Update {
  readonly updateId: number;
  /** Absent when it is no text message. */
  readonly message?: ChatMessage & { readonly chatId: string };
}

/** Listens until the returned function is called. */
export function listenToTelegram(options: TelegramCommandsOptions): () => void {
  const abort = new AbortController();
  void listen(options, abort.signal);
  return () => abort.abort();
}

async function listen(options: TelegramCommandsOptions, signal: AbortSignal): Promise<void> {
  let state = newChatCommands;
  let offset = 0;
  while (!signal.aborted) {
    try {
      const updates = await poll(options, offset, signal);
      for (const { updateId, message } of updates) {
        offset = Math.max(offset, updateId + 1);
        if (message !== undefined) state = await take(options, state, message, signal);
      }
    } catch (error) {
      if (signal.aborted) return;
      options.log('warn', 'telegram-not-heard', { error });
      await delay(PAUSE_AFTER_FAILURE_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}

async function poll(options: TelegramCommandsOptions, offset: number, signal: AbortSignal): Promise<readonly Update[]> {
  const { account, call, pollSeconds, timeoutMs } = options;
  const { status, json } = await call({
    url: `${account.host}/bot${account.token}/getUpdates`,
    body: { offset, timeout: pollSeconds, allowed_updates: ['message'] },
    signal: AbortSignal.any([signal, AbortSignal.timeout(pollSeconds * 1_000 + timeoutMs)]),
    venue: 'telegram',
    endpoint: 'getUpdates',
  });
  if (status !== 200) throw new Error(`telegram answered getUpdates with status ${status}`);
  return readUpdates(json);
}

async function take(
  options: TelegramCommandsOptions,
  state: ChatCommandsState,
  message: ChatMessage & { readonly chatId: string },
  signal: AbortSignal,
): Promise<ChatCommandsState> {
  const { account, userIds, call, facts, log, act, timeoutMs } = options;
  const { userId, chatId } = message;
  if (options.nowMs() - message.atMs > STALE_MS) {
    log('warn', 'telegram-command-stale', { userId });
    return state;
  }
  const decision = decideChat(state, message, await facts(), { userIds, drawCode });
  if (decision.ignored !== undefined) log('warn', 'telegram-command-ignored', { userId, reason: decision.ignored });
  if (decision.act !== undefined) {
    log('warn', 'telegram-command', { userId, act: decision.act });
    act(decision.act, userId);
  }
  if (decision.reply !== undefined) {
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    // Acting matters more than saying so.
    await sendTelegram(account, { chatId, text: decision.reply, signal: inTime }, call).catch((error: unknown) =>
      log('warn', 'telegram-reply-failed', { error }),
    );
  }
  return decision.state;
}

function drawCode(): string {
  return String(randomInt(CODE_DIGITS)).padStart(6, '0');
}

/** Takes what is understood; anything else only moves the offset. */
function readUpdates(json: unknown): readonly Update[] {
  const result = field(json, 'result');
  if (!Array.isArray(result)) throw new Error('telegram answered getUpdates without a list');
  return result.flatMap((update: unknown): readonly Update[] => {
    const updateId = field(update, 'update_id');
    if (typeof updateId !== 'number' || !Number.isSafeInteger(updateId)) return [];
    const message = field(update, 'message');
    const userId = field(field(message, 'from'), 'id');
    const chat = field(message, 'chat');
    const chatId = field(chat, 'id');
    const text = field(message, 'text');
    const date = field(message, 'date');
    if (
      typeof userId !== 'number' ||
      typeof chatId !== 'number' ||
      typeof text !== 'string' ||
      typeof date !== 'number'
    )
      return [{ updateId }];
    // A private chat bears its partner's number.
    const isPrivate = field(chat, 'type') === 'private' && chatId === userId;
    return [
      { updateId, message: { userId: String(userId), chatId: String(chatId), isPrivate, text, atMs: date * 1_000 } },
    ];
  });
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
