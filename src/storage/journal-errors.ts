/** What can be wrong with a journal at its opening. Any thread. */

/**
 * The journal's files contradict themselves: nothing may be concluded from them, a person has to look. Names the file, the
 * broken rule and, where one row broke it, its sequence.
 */
export class JournalDamaged extends Error {
  readonly code = 'journal-damaged';
  readonly file: string;
  readonly rule: string;
  readonly sequence: number | undefined;

  constructor(file: string, rule: string, options: { readonly sequence?: number; readonly cause?: unknown } = {}) {
    const place = options.sequence === undefined ? '' : ` at row ${options.sequence}`;
    super(`journal ${file} is damaged${place}: ${rule}`, { cause: options.cause });
    this.name = 'JournalDamaged';
    this.file = file;
    this.rule = rule;
    this.sequence = options.sequence;
  }
}

/**
 * A row has the id of a stored one but states another fact: storing it would count something twice, dropping it would lose it.
 * Nothing of its transaction is stored; the journal itself is in order.
 */
export class RowConflict extends Error {
  readonly code = 'row-conflict';
  readonly id: string;

  constructor(id: string, sequence: number, difference: string) {
    super(`a row with a known id must state the fact of row ${sequence}, ${id} differs: ${difference}`);
    this.name = 'RowConflict';
    this.id = id;
  }
}

/** All boot numbers are used up: another one would let client order ids repeat. */
export class BootNumbersExhausted extends Error {
  readonly code = 'boot-numbers-exhausted';

  constructor(wanted: number, bootMax: number) {
    super(`boot number must be at most ${bootMax}, the next would be ${wanted}: use a new account and data directory`);
    this.name = 'BootNumbersExhausted';
  }
}

/** Another engine works on this data directory. */
export class DataDirectoryInUse extends Error {
  readonly code = 'data-directory-in-use';
  readonly directory: string;
  /** Undefined when the other engine has not written it yet. */
  readonly pid: number | undefined;

  constructor(directory: string, pid: number | undefined) {
    super(`data directory ${directory} must be used by one engine only, process ${pid ?? 'unknown'} uses it`);
    this.name = 'DataDirectoryInUse';
    this.directory = directory;
    this.pid = pid;
  }
}
