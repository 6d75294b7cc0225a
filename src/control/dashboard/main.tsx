/** The dashboard: one page per question, in the address behind `#`, so that back, reload and bookmarks work. Browser. */
import icon from './icon.svg';
import { render } from 'preact';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ActsProvider, ActButton, KILLS, PAUSE, REDUCE_ONLY, RESUME, useAsk } from './acts.tsx';
import { ActorPage } from './pages/actor.tsx';
import { AlertsPage } from './pages/alerts.tsx';
import { JournalPage } from './pages/journal.tsx';
import { LoginPage } from './pages/login.tsx';
import { OpportunitiesPage } from './pages/opportunities.tsx';
import { OverviewPage } from './pages/overview.tsx';
import { PairPage } from './pages/pair.tsx';
import { RuntimePage } from './pages/runtime.tsx';
import { TracePage } from './pages/trace.tsx';
import { VenuesPage } from './pages/venues.tsx';
import { Badge } from './parts.tsx';
import { forgetToken, onTokenRefused, readToken, usePoll } from './session.ts';
import { moment } from './text.ts';
import type { Summary } from './wire.ts';

const SUMMARY_MS = 1_000;

interface Place {
  readonly page: string;
  /** What follows the page's name, decoded. */
  readonly rest: string;
}

const LINKS: readonly (readonly [string, string])[] = [
  ['', 'Overview'],
  ['opportunities', 'Opportunities'],
  ['venues', 'Venues'],
  ['runtime', 'Runtime'],
  ['journal', 'Journal'],
  ['alerts', 'Alerts'],
];

function placeOf(hash: string): Place {
  const [page = '', ...rest] = hash.replace(/^#\/?/, '').split('/');
  return { page, rest: decodeURIComponent(rest.join('/')) };
}

function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const moved = (): void => {
      readToken();
      setPlace(placeOf(location.hash));
    };
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  return place;
}

function Page(props: { readonly place: Place; readonly summary: Summary }): JSX.Element {
  const { place, summary } = props;
  switch (place.page) {
    case '':
      return <OverviewPage summary={summary} />;
    case 'pair':
      return <PairPage base={place.rest} summary={summary} />;
    case 'opportunities':
      return <OpportunitiesPage nowMs={summary.nowMs} />;
    case 'venues':
      return <VenuesPage summary={summary} />;
    case 'runtime':
      return <RuntimePage />;
    case 'actor':
      return <ActorPage path={place.rest} />;
    case 'trace':
      return <TracePage id={place.rest} />;
    case 'journal':
      return <JournalPage rest={place.rest} summary={summary} />;
    case 'alerts':
      return <AlertsPage />;
    default:
      return <p class="empty">There is no page “{place.page}”.</p>;
  }
}

function Head(props: { readonly summary: Summary | undefined; readonly place: Place }): JSX.Element {
  const { summary, place } = props;
  const engine = summary?.trading?.engine;
  return (
    <header class="head">
      <a class="mark" href="#/">
        <img src={icon} alt="" width="22" height="22" /> Tandem
      </a>
      <nav aria-label="Pages">
        {LINKS.map(([page, name]) => (
          <a key={page} href={`#/${page}`} aria-current={place.page === page ? 'page' : undefined}>
            {name}
          </a>
        ))}
      </nav>
      <span class="state">
        <Badge word={engine?.state ?? 'unknown'} />
        {summary === undefined || summary.readiness.ready ? null : <Badge word="starting" />}
        <time>{moment(summary?.nowMs)}</time>
      </span>
      <Controls />
    </header>
  );
}

function Controls(): JSX.Element {
  const ask = useAsk();
  return (
    <div class="controls">
      <ActButton act={PAUSE}>Pause</ActButton>
      <ActButton act={RESUME}>Trade</ActButton>
      <ActButton act={REDUCE_ONLY}>Reduce</ActButton>
      <select
        aria-label="Kill levels"
        class="bad"
        value=""
        onChange={(event) => {
          const kill = KILLS[Number(event.currentTarget.value)];
          event.currentTarget.value = '';
          if (kill !== undefined) ask(kill);
        }}
      >
        <option value="" disabled>
          Kill…
        </option>
        {KILLS.map((kill, at) => (
          <option key={kill.title} value={at}>
            {kill.title}
          </option>
        ))}
      </select>
    </div>
  );
}

function App(): JSX.Element {
  const [hasToken, setHasToken] = useState(() => readToken() !== undefined);
  const place = usePlace();
  useEffect(
    () =>
      onTokenRefused(() => {
        forgetToken();
        setHasToken(false);
      }),
    [],
  );
  const { data: summary, failure } = usePoll<Summary>(hasToken ? '/debug/summary' : undefined, SUMMARY_MS);
  if (!hasToken) return <LoginPage onToken={() => setHasToken(true)} />;
  return (
    <ActsProvider>
      <a class="skip" href="#content">
        To the content
      </a>
      <Head summary={summary} place={place} />
      {failure === undefined ? null : (
        <p class="banner" role="alert">
          {failure.message}
          {summary === undefined ? '' : ' What you see is the last that was heard.'}
        </p>
      )}
      <main id="content">
        {summary === undefined ? (
          <p class="empty" aria-busy="true">
            {failure === undefined ? 'reading…' : ''}
          </p>
        ) : (
          <Page place={place} summary={summary} />
        )}
      </main>
    </ActsProvider>
  );
}

const root = document.getElementById('app');
if (root !== null) render(<App />, root);
