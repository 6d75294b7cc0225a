/** Asks for the engine's token once per tab. Browser. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { forgetToken, get, keepToken, RequestFailed } from '../session.ts';

export function LoginPage(props: { readonly onToken: () => void }): JSX.Element {
  const [token, setToken] = useState('');
  const [failure, setFailure] = useState('');
  const enter = async (): Promise<void> => {
    keepToken(token.trim());
    try {
      await get('/debug/engine');
      props.onToken();
    } catch (error) {
      const isWrong = error instanceof RequestFailed && error.status === 401;
      if (!isWrong && error instanceof RequestFailed && error.status === 503) props.onToken();
      else {
        forgetToken();
        setFailure(
          isWrong ? 'This is not the token of this engine.' : String(error instanceof Error ? error.message : error),
        );
      }
    }
  };
  return (
    <main class="login">
      <h1>Tandem</h1>
      <p>
        Run <code>npx tandem dashboard</code> beside the engine: it prints a link that opens this page. Or paste what is
        in <code>var/control.token</code>.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void enter();
        }}
      >
        <label>
          Token
          <input
            type="password"
            value={token}
            autoComplete="off"
            autoFocus
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary" disabled={token.trim() === ''}>
          Open
        </button>
        <p class="fault" role="alert">
          {failure}
        </p>
      </form>
    </main>
  );
}
