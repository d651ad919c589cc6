-- What an extraction's output says about itself and about each of its rows. An output that is an IDB file has these
-- tables beside the documented ones; for NDJSON and CSV they are the file of its state. All ours. docs/extraction.md
-- explains them to whoever reads them.

-- The one row (ID 1): what this is, and the last value of the sequence that row ids come from.
CREATE TABLE ICON_EXTRACT (
  ID INTEGER PRIMARY KEY,
  FORMAT INTEGER NOT NULL,
  KIND TEXT NOT NULL,
  WINDOW_SECONDS INTEGER NOT NULL,
  ROW_SEQ INTEGER NOT NULL
) STRICT;
--> statement-breakpoint
-- One row is one IDB that was ever read. QUEUE_ID and VERSION: up to where all of its changes are in this output; null:
-- that was never said. An IDB that was made anew is another one.
CREATE TABLE ICON_EXTRACT_COPY (
  ID INTEGER PRIMARY KEY,
  IDB_ID TEXT NOT NULL UNIQUE,
  NAME TEXT NOT NULL,
  ICON_DBIDS TEXT NOT NULL,
  QUEUE_ID TEXT,
  VERSION INTEGER
) STRICT;
--> statement-breakpoint
-- One row is one call that was ever handed out. WITHDRAWN: why it is not part of the record any more; its rows are gone.
CREATE TABLE ICON_EXTRACT_CALL (
  CALLID TEXT PRIMARY KEY NOT NULL,
  REVISION INTEGER NOT NULL,
  CREATED_TS INTEGER NOT NULL,
  ENDED_TS INTEGER,
  SOURCE_CLUSTER INTEGER,
  SWITCH_DBID INTEGER,
  VERDICT TEXT NOT NULL,
  IS_PROVEN INTEGER NOT NULL,
  REASONS TEXT NOT NULL,
  COPIES TEXT NOT NULL,
  DIGEST TEXT NOT NULL,
  WITHDRAWN TEXT
) STRICT;
--> statement-breakpoint
CREATE INDEX IDX_ICON_EXTRACT_CALL_CREATED_TS ON ICON_EXTRACT_CALL (CREATED_TS);
--> statement-breakpoint
-- One row is one login session that was ever handed out, as ICON_EXTRACT_CALL has calls.
CREATE TABLE ICON_EXTRACT_LOGIN_SESSION (
  LOGINSESSIONID TEXT PRIMARY KEY NOT NULL,
  REVISION INTEGER NOT NULL,
  CREATED_TS INTEGER NOT NULL,
  ENDED_TS INTEGER,
  SOURCE_CLUSTER INTEGER,
  SWITCH_DBID INTEGER,
  VERDICT TEXT NOT NULL,
  IS_PROVEN INTEGER NOT NULL,
  REASONS TEXT NOT NULL,
  COPIES TEXT NOT NULL,
  DIGEST TEXT NOT NULL,
  WITHDRAWN TEXT
) STRICT;
--> statement-breakpoint
CREATE INDEX IDX_ICON_EXTRACT_LOGIN_SESSION_CREATED_TS ON ICON_EXTRACT_LOGIN_SESSION (CREATED_TS);
--> statement-breakpoint
-- One row is one row of a documented table (ROW_ID: its own id, or its rowid where it has none) and where it is from.
-- FAMILY and SUBJECT_KEY: of which call or login session it is.
CREATE TABLE ICON_EXTRACT_ROW (
  FAMILY TEXT NOT NULL,
  SUBJECT_KEY TEXT NOT NULL,
  TABLE_NAME TEXT NOT NULL,
  ROW_ID INTEGER NOT NULL,
  COPY_ID INTEGER NOT NULL,
  ORIGINAL_ROW_ID INTEGER,
  PRIMARY KEY (FAMILY, SUBJECT_KEY, TABLE_NAME, ROW_ID)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
-- One row is one call or login session that goes on and waits to be handed out.
CREATE TABLE ICON_EXTRACT_WAITING (
  FAMILY TEXT NOT NULL,
  SUBJECT_KEY TEXT NOT NULL,
  CREATED_TS INTEGER NOT NULL,
  PRIMARY KEY (FAMILY, SUBJECT_KEY)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
-- One row is one source: no window of it before SETTLED_UNTIL is still to be judged, from FROM_TS on.
CREATE TABLE ICON_EXTRACT_SOURCE (
  SOURCE_CLUSTER INTEGER NOT NULL,
  SWITCH_DBID INTEGER NOT NULL,
  FROM_TS INTEGER NOT NULL,
  SETTLED_UNTIL INTEGER NOT NULL,
  PRIMARY KEY (SOURCE_CLUSTER, SWITCH_DBID)
) STRICT;
--> statement-breakpoint
-- One row is windows in a row of one source of which the same was said when they were extracted last.
CREATE TABLE ICON_EXTRACT_WINDOWS (
  SOURCE_CLUSTER INTEGER NOT NULL,
  SWITCH_DBID INTEGER NOT NULL,
  FROM_TS INTEGER NOT NULL,
  UNTIL_TS INTEGER NOT NULL,
  STATE TEXT NOT NULL,
  AGREEMENT TEXT NOT NULL,
  IS_PROVEN INTEGER NOT NULL,
  CAUSES TEXT NOT NULL,
  PRIMARY KEY (SOURCE_CLUSTER, SWITCH_DBID, FROM_TS)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
-- One row is one data source session that was handed out, and how it stood then.
CREATE TABLE ICON_EXTRACT_SESSION (
  DSS_ID INTEGER NOT NULL,
  ICON_DBID INTEGER NOT NULL,
  DIGEST TEXT NOT NULL,
  PRIMARY KEY (DSS_ID, ICON_DBID)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
-- One row is one file that is appended to: what of it is part of the output. Whatever follows was never committed.
CREATE TABLE ICON_EXTRACT_FILE (
  NAME TEXT PRIMARY KEY NOT NULL,
  BYTES INTEGER NOT NULL
) STRICT;
--> statement-breakpoint
-- Where each row of a documented table is from, and what is said of its call or its login session.
CREATE VIEW ICON_ROW_ORIGIN AS
SELECT r.TABLE_NAME, r.ROW_ID, p.IDB_ID, r.ORIGINAL_ROW_ID, c.CALLID, NULL AS LOGINSESSIONID, c.REVISION, c.VERDICT,
  c.IS_PROVEN, c.REASONS
FROM ICON_EXTRACT_ROW r
JOIN ICON_EXTRACT_CALL c ON r.FAMILY = 'call' AND c.CALLID = r.SUBJECT_KEY
JOIN ICON_EXTRACT_COPY p ON p.ID = r.COPY_ID
UNION ALL
SELECT r.TABLE_NAME, r.ROW_ID, p.IDB_ID, r.ORIGINAL_ROW_ID, NULL, s.LOGINSESSIONID, s.REVISION, s.VERDICT,
  s.IS_PROVEN, s.REASONS
FROM ICON_EXTRACT_ROW r
JOIN ICON_EXTRACT_LOGIN_SESSION s ON r.FAMILY = 'login session' AND s.LOGINSESSIONID = r.SUBJECT_KEY
JOIN ICON_EXTRACT_COPY p ON p.ID = r.COPY_ID;
