/** The pieces every page is made of. Browser. */
import type { ComponentChildren, JSX } from 'preact';
import { money, signStyle } from './text.ts';
import type { RequestFailed } from './session.ts';

export function Panel(props: {
  readonly title: string;
  readonly note?: ComponentChildren;
  readonly children: ComponentChildren;
  readonly isWide?: boolean;
}): JSX.Element {
  return (
    <section class={props.isWide === true ? 'panel wide' : 'panel'}>
      <header>
        <h2>{props.title}</h2>
        {props.note === undefined ? null : <span class="note">{props.note}</span>}
      </header>
      {props.children}
    </section>
  );
}

export function Tile(props: {
  readonly name: string;
  readonly value: ComponentChildren;
  readonly note?: ComponentChildren;
  readonly tone?: string;
}): JSX.Element {
  return (
    <div class={`tile ${props.tone ?? ''}`}>
      <span class="name">{props.name}</span>
      <strong>{props.value}</strong>
      <span class="note" title={typeof props.note === 'string' ? props.note : undefined}>
        {props.note ?? ' '}
      </span>
    </div>
  );
}

export function Money(props: { readonly micro: string | undefined; readonly isPlain?: boolean }): JSX.Element {
  return (
    <span class={`number ${props.isPlain === true ? '' : signStyle(props.micro)}`}>
      {money(props.micro, props.isPlain !== true)}
    </span>
  );
}

const GOOD = new Set(['TRADING', 'OPEN', 'ready', 'running', 'ok', 'ENTER', 'closed', 'resolved']);
const BAD = new Set(['HALTED', 'FAILED', 'QUARANTINED', 'down', 'crashed', 'dead', 'critical', 'broken', 'stopped']);
const CALM = new Set(['IDLE', 'CLOSED', 'STOPPED', 'info', 'waiting']);

/** A state in one word, its colour the word's meaning. */
export function Badge(props: { readonly word: string }): JSX.Element {
  const { word } = props;
  const tone = GOOD.has(word) ? 'good' : BAD.has(word) ? 'bad' : CALM.has(word) ? 'calm' : 'warn';
  return <span class={`badge ${tone}`}>{word}</span>;
}

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  readonly isNumber?: boolean;
  /** Left out where there is little room. */
  readonly isExtra?: boolean;
  /** Takes a line of its own on a phone; only of tables that fold. */
  readonly isWhole?: boolean;
}

export function Table<Row>(props: {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string | number;
  readonly empty: string;
  /** On a phone each row becomes a block of named values; without it the table is scrolled sideways. */
  readonly folds?: boolean;
}): JSX.Element {
  const { columns, rows } = props;
  const styleOf = ({ isNumber, isExtra, isWhole }: Column<Row>): string =>
    [isNumber === true ? 'number' : '', isExtra === true ? 'extra' : '', isWhole === true ? 'whole' : '']
      .join(' ')
      .trim();
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={props.caption}>
      <table class={props.folds === true ? 'folds' : ''}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} scope="col" class={styleOf(column)}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={props.keyOf(row)}>
              {columns.map((column) => (
                <td key={column.title} class={styleOf(column)} data-name={column.title}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
          {rows.length === 0 ? (
            <tr>
              <td colSpan={columns.length} class="empty">
                {props.empty}
              </td>
            </tr>
          ) : null}
        </tbody>
      </table>
    </div>
  );
}

/** Says what went wrong, or that the first answer is on its way. */
export function Pending(props: { readonly failure: RequestFailed | undefined }): JSX.Element {
  return props.failure === undefined ? (
    <p class="empty" aria-busy="true">
      reading…
    </p>
  ) : (
    <p class="fault" role="alert">
      {props.failure.message}
    </p>
  );
}

/** A share of something limited, as a bar with its number. */
export function Bar(props: { readonly share: number; readonly label: string }): JSX.Element {
  const share = Math.min(1, Math.max(0, props.share));
  const tone = share > 0.9 ? 'bad' : share > 0.7 ? 'warn' : 'good';
  return (
    <span class="bar" role="img" aria-label={`${props.label}: ${Math.round(share * 100)} %`}>
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="100" height="6" rx="1" />
        <rect class={tone} width={share * 100} height="6" rx="1" />
      </svg>
      <span class="number">{Math.round(share * 100)} %</span>
    </span>
  );
}

/** Plain data as a person reads it, nested at most as deep as it came. */
export function Data(props: { readonly value: unknown }): JSX.Element {
  return <pre class="data">{JSON.stringify(props.value, null, 2)}</pre>;
}
