/** The tables of the journal, as numbered steps: step n leads from `user_version` n to n + 1. Plain data. */

/** Never change a step that has been released: add one. */
export const MIGRATIONS: readonly string[] = [
  // Each index ends with the rowid, which is the sequence: all queries read their rows in order without sorting. The
  // triggers keep slips of ours out; the hash chain notices everybody else.
  `
  CREATE TABLE rows (
    sequence    INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    type        TEXT NOT NULL,
    at_ms       REAL NOT NULL,
    actor       TEXT NOT NULL,
    correlation TEXT NOT NULL,
    payload     TEXT NOT NULL,
    hash        BLOB NOT NULL CHECK (length(hash) = 32)
  ) STRICT;
  CREATE INDEX rows_by_correlation ON rows (correlation);
  CREATE INDEX rows_by_actor ON rows (actor);
  CREATE INDEX rows_by_type ON rows (type);
  CREATE TRIGGER rows_are_not_updated BEFORE UPDATE ON rows
    BEGIN SELECT RAISE(ABORT, 'journal rows are never updated'); END;
  CREATE TRIGGER rows_are_not_deleted BEFORE DELETE ON rows
    BEGIN SELECT RAISE(ABORT, 'journal rows are never deleted'); END;
  `,
  // Amounts are marked bigints (payload.ts): $bigint holds their text. The newest row of a pair counts.
  `
  ALTER TABLE rows ADD COLUMN venue_at_ms REAL;
  ALTER TABLE rows ADD COLUMN causation TEXT NOT NULL DEFAULT '';
  CREATE VIEW closed_pairs AS
    SELECT
      correlation AS pair_id,
      sequence,
      payload ->> '$.statistics.base' AS base,
      payload ->> '$.statistics.exitReason' AS exit_reason,
      payload ->> '$.statistics.openedAtMs' AS opened_at_ms,
      payload ->> '$.statistics.closedAtMs' AS closed_at_ms,
      payload ->> '$.statistics.expectedValueQuote' AS expected_value_quote,
      CAST(payload ->> '$.statistics.netMicro."$bigint"' AS INTEGER) AS net_micro,
      CAST(payload ->> '$.statistics.priceMicro."$bigint"' AS INTEGER) AS price_micro,
      CAST(payload ->> '$.statistics.fundingMicro."$bigint"' AS INTEGER) AS funding_micro,
      CAST(payload ->> '$.statistics.feesMicro."$bigint"' AS INTEGER) AS fees_micro,
      payload ->> '$.statistics.exposureQuoteSec' AS exposure_quote_sec
    FROM rows
    WHERE type = 'pair-statistics'
      AND sequence IN (SELECT max(sequence) FROM rows WHERE type = 'pair-statistics' GROUP BY correlation);
  `,
];

export const SCHEMA_VERSION = MIGRATIONS.length;
