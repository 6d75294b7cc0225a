/** What a person may do to the engine: each act says what it will do, asks for a reason, and is confirmed. Browser. */
import { createContext } from 'preact';
import type { ComponentChildren, JSX } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import { post, RequestFailed } from './session.ts';

export interface Act {
  readonly title: string;
  /** What will happen, in a sentence. */
  readonly effect: string;
  readonly path: string;
  /** The request's body; the reason is added where one is asked for. */
  readonly body: object;
  readonly asksReason?: true;
  /** A word to be typed first: for what opens or closes positions or ends the engine. */
  readonly typed?: string;
  readonly tone?: 'bad' | 'warn';
}

type Ask = (act: Act) => void;
const Asking = createContext<Ask>(() => undefined);

/** Returns what opens the dialog for an act. */
export function useAsk(): Ask {
  return useContext(Asking);
}

/** A button that asks before it acts. */
export function ActButton(props: { readonly act: Act; readonly children: ComponentChildren }): JSX.Element {
  const ask = useAsk();
  return (
    <button type="button" class={props.act.tone ?? ''} onClick={() => ask(props.act)}>
      {props.children}
    </button>
  );
}

/** Holds the dialog and the word on what came of the last act. */
export function ActsProvider(props: { readonly children: ComponentChildren }): JSX.Element {
  const [act, setAct] = useState<Act>();
  const [said, setSaid] = useState<{ readonly text: string; readonly isFault: boolean }>();
  useEffect(() => {
    if (said === undefined) return undefined;
    const timer = setTimeout(() => setSaid(undefined), 8_000);
    return () => clearTimeout(timer);
  }, [said]);
  return (
    <Asking.Provider value={setAct}>
      {props.children}
      {act === undefined ? null : (
        <Confirmation
          act={act}
          onEnd={(text, isFault) => {
            setAct(undefined);
            if (text !== undefined) setSaid({ text, isFault: isFault === true });
          }}
        />
      )}
      <output class={said?.isFault === true ? 'said fault' : 'said'} aria-live="polite">
        {said?.text ?? ''}
      </output>
    </Asking.Provider>
  );
}

function Confirmation(props: {
  readonly act: Act;
  readonly onEnd: (text?: string, isFault?: boolean) => void;
}): JSX.Element {
  const { act, onEnd } = props;
  const [reason, setReason] = useState('');
  const [word, setWord] = useState('');
  const [isSending, setIsSending] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const isMissing =
    (act.asksReason === true && reason.trim() === '') || (act.typed !== undefined && word.trim() !== act.typed);
  const send = async (): Promise<void> => {
    setIsSending(true);
    try {
      await post(act.path, act.asksReason === true ? { ...act.body, reason: reason.trim() } : act.body);
      // Told is not done: the page shows what comes of it.
      onEnd(`${act.title}: told to the engine`);
    } catch (error) {
      onEnd(`${act.title}: ${error instanceof RequestFailed ? error.message : String(error)}`, true);
    }
  };
  return (
    <dialog ref={dialog} onClose={() => onEnd()} aria-labelledby="act-title">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!isMissing && !isSending) void send();
        }}
      >
        <h2 id="act-title">{act.title}</h2>
        <p>{act.effect}</p>
        {act.asksReason === true ? (
          <label>
            Reason, for the journal
            <input value={reason} maxLength={200} autoFocus onInput={(event) => setReason(event.currentTarget.value)} />
          </label>
        ) : null}
        {act.typed === undefined ? null : (
          <label>
            Type {act.typed} to confirm
            <input value={word} autoComplete="off" onInput={(event) => setWord(event.currentTarget.value)} />
          </label>
        )}
        <div class="buttons">
          <button type="button" onClick={() => onEnd()}>
            Leave it
          </button>
          <button type="submit" class={act.tone ?? 'primary'} disabled={isMissing || isSending}>
            {act.title}
          </button>
        </div>
      </form>
    </dialog>
  );
}

export const PAUSE: Act = {
  title: 'Pause entries',
  effect: 'The engine becomes ARMED: it manages and closes what is open and opens nothing.',
  path: '/control/engine',
  body: { state: 'ARMED' },
  asksReason: true,
};
export const RESUME: Act = {
  title: 'Trade',
  effect: 'The engine becomes TRADING: it opens pairs where all gates agree. This also lifts a kill.',
  path: '/control/engine',
  body: { state: 'TRADING' },
  asksReason: true,
  tone: 'warn',
};
export const REDUCE_ONLY: Act = {
  title: 'Reduce only',
  effect: 'Nothing opens any more; what is open may shrink and close.',
  path: '/control/engine',
  body: { state: 'REDUCE_ONLY' },
  asksReason: true,
};
export const KILLS: readonly Act[] = [
  {
    title: 'Kill 1: reduce only',
    effect: 'Nothing opens until a person says TRADING again, restarts included.',
    path: '/control/kill',
    body: { level: 1 },
    asksReason: true,
    tone: 'warn',
  },
  {
    title: 'Kill 2: cancel entries',
    effect: 'Nothing opens, and orders that would open are cancelled at the venues.',
    path: '/control/kill',
    body: { level: 2 },
    asksReason: true,
    tone: 'warn',
  },
  {
    title: 'Kill 3: close all pairs',
    effect: 'Every pair is closed at the market, both legs together. This pays fees and spread.',
    path: '/control/kill',
    body: { level: 3 },
    asksReason: true,
    typed: 'CLOSE',
    tone: 'bad',
  },
  {
    title: 'Kill 4: cancel everything and end',
    effect: 'All orders are cancelled at the venues and the engine ends. Positions stay, and nobody manages them.',
    path: '/control/kill',
    body: { level: 4 },
    asksReason: true,
    typed: 'END',
    tone: 'bad',
  },
];

export function exitPair(base: string): Act {
  return {
    title: `Close ${base}`,
    effect: `Both legs of ${base} are closed at the market. This pays fees and spread.`,
    path: `/control/exit/${encodeURIComponent(base)}`,
    body: {},
    typed: base,
    tone: 'bad',
  };
}

export function clearPair(base: string): Act {
  return {
    title: `Let ${base} be entered again`,
    effect: `You have looked at what keeps ${base} out; the next scan may enter it.`,
    path: `/control/clear/${encodeURIComponent(base)}`,
    body: {},
    asksReason: true,
    tone: 'warn',
  };
}

/** Pausing, resuming or restarting one actor. */
export function actorAct(action: 'pause' | 'resume' | 'restart', path: string): Act {
  const effects = {
    pause: `${path} leaves its mailbox alone until it is resumed. A paused position actor manages nothing.`,
    resume: `${path} goes on with what waits in its mailbox.`,
    restart: `${path} ends and starts from its known state; its mailbox is kept.`,
  };
  return {
    title: `${action.charAt(0).toUpperCase()}${action.slice(1)} ${path}`,
    effect: effects[action],
    path: `/control/${action}/${path}`,
    body: {},
    ...(action === 'resume' ? {} : { tone: 'warn' as const }),
  };
}
