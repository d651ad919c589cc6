-- Which time is known, as the instance's own ledger has it. An extraction's output has views of the same names and
-- columns that go by what was judged of all copies: extraction.sql.

-- One row is one data source that this IDB has heard, and the time that it can vouch for.
CREATE VIEW ICON_V_SOURCE (
  SOURCE_CLUSTER, -- DBID of the pair's primary server
  SWITCH_DBID,
  NAME, -- as it is called in the configuration
  WINDOW_SECONDS, -- length of a window in the ledger
  HEARD_FROM_TS, -- when it was first heard, UTC seconds by its own clock
  HEARD_UNTIL_TS, -- its last word so far; no later than a year from now, whatever its clock said
  KNOWN_FROM_TS, -- from here on, gaps left out, everything is known
  KNOWN_UNTIL_TS -- up to here: 5 s before the last word, or as late as the source tells its events
) AS
SELECT SOURCE_CLUSTER, SWITCH_DBID, NAME, WINDOW_SECONDS,
  CAST(FIRST AS INTEGER), CAST(LAST AS INTEGER),
  (CAST((FIRST + LATENESS) / WINDOW_SECONDS AS INTEGER) + 1) * WINDOW_SECONDS,
  CAST((LAST - LATENESS - max(5, LATENESS)) / WINDOW_SECONDS AS INTEGER) * WINDOW_SECONDS
FROM (
  SELECT newest.SOURCE_CLUSTER, newest.SWITCH_DBID, newest.SOURCE AS NAME, ends.LATENESS,
    (SELECT WINDOW_SECONDS FROM ICON_APPLIED WHERE ID = 1) AS WINDOW_SECONDS,
    /*time of oldest.FROM_TIME*/ AS FIRST,
    -- A clock that was absurd once would make as many intervals as there are until then.
    min(/*time of newest.UNTIL_TIME*/, unixepoch('now') + 31622400) AS LAST
  FROM (
    SELECT min(s.ID) AS FIRST_ID, max(s.ID) AS LAST_ID, max(s.LATENESS_MS) / 1000.0 AS LATENESS
    FROM ICON_COVERAGE s
    WHERE s.FROM_TIME IS NOT NULL AND s.UNTIL_TIME IS NOT NULL
    GROUP BY s.SOURCE_CLUSTER, s.SWITCH_DBID
  ) ends
  JOIN ICON_COVERAGE oldest ON oldest.ID = ends.FIRST_ID
  JOIN ICON_COVERAGE newest ON newest.ID = ends.LAST_ID
);
--> statement-breakpoint
-- One row is one stretch of a source's time, between KNOWN_FROM_TS and KNOWN_UNTIL_TS, for which the ledger does not
-- vouch: an event is missing from it, or may be. Whole windows. Stretches may overlap.
CREATE VIEW ICON_V_GAP (
  SOURCE_CLUSTER,
  SWITCH_DBID,
  FROM_TS, -- UTC seconds
  UNTIL_TS, -- not part of it
  WHY -- word of docs/availability.md: gap reported, session ended, damaged record, …
) AS
-- Between two spans of coverage, unless the numbers prove that nothing is missing: those of one run go on, or a server
-- said that it ends and the next one begins with its first event.
SELECT SOURCE_CLUSTER, SWITCH_DBID,
  CAST((min(GAP_FROM, GAP_UNTIL) - LATENESS) / WINDOW_SECONDS AS INTEGER) * WINDOW_SECONDS,
  (CAST((max(GAP_FROM, GAP_UNTIL) + LATENESS) / WINDOW_SECONDS AS INTEGER) + 1) * WINDOW_SECONDS,
  WHY
FROM (
  SELECT s.SOURCE_CLUSTER, s.SWITCH_DBID, s.RUN, s.FROM_SEQ, s.BEGAN_BECAUSE, s.GSYS_DOMAIN,
    (SELECT WINDOW_SECONDS FROM ICON_APPLIED WHERE ID = 1) AS WINDOW_SECONDS,
    lag(s.RUN) OVER source AS RUN_BEFORE,
    lag(s.UNTIL_SEQ) OVER source AS SEQ_BEFORE,
    lag(s.ENDED_BECAUSE) OVER source AS ENDED_BEFORE,
    lag(s.GSYS_DOMAIN) OVER source AS DOMAIN_BEFORE,
    coalesce(lag(s.ENDED_BECAUSE) OVER source, s.BEGAN_BECAUSE) AS WHY,
    lag(s.UNTIL_SEQ) OVER run AS SEQ_OF_RUN,
    -- What is missing of a run that was heard before another one may lie before the other one's end.
    CASE WHEN lag(s.RUN) OVER source <> s.RUN
           AND s.FROM_SEQ > coalesce(lag(s.UNTIL_SEQ) OVER run, s.FROM_SEQ)
      THEN min(/*time of lag(s.UNTIL_TIME) OVER source*/,
               max(/*time of lag(s.UNTIL_TIME) OVER run*/, /*time of lag(s.FROM_TIME) OVER source*/))
      ELSE /*time of lag(s.UNTIL_TIME) OVER source*/ END AS GAP_FROM,
    /*time of s.FROM_TIME*/ AS GAP_UNTIL,
    max(s.LATENESS_MS) OVER whole / 1000.0 AS LATENESS,
    -- Numbers given out twice, or a clock that was set back: numbers say nothing of times.
    max(coalesce(s.BEGAN_BECAUSE IN ('numbers went back', 'source clock stepped'), 0)
        OR coalesce(s.ENDED_BECAUSE IN ('numbers went back', 'source clock stepped'), 0)) OVER runs AS IS_UNORDERED
  FROM ICON_COVERAGE s
  WHERE s.FROM_TIME IS NOT NULL AND s.UNTIL_TIME IS NOT NULL
  WINDOW source AS (PARTITION BY s.SOURCE_CLUSTER, s.SWITCH_DBID ORDER BY s.ID),
    run AS (PARTITION BY s.SOURCE_CLUSTER, s.SWITCH_DBID, s.RUN ORDER BY s.ID),
    runs AS (PARTITION BY s.SOURCE_CLUSTER, s.SWITCH_DBID, s.RUN),
    whole AS (PARTITION BY s.SOURCE_CLUSTER, s.SWITCH_DBID)
) g
WHERE RUN_BEFORE IS NOT NULL AND NOT (
  IS_UNORDERED = 0
  AND BEGAN_BECAUSE IN ('first connection', 'hole', 'gap reported', 'new run', 'orderly end', 'queue lost', 'history not kept')
  AND CASE WHEN RUN = RUN_BEFORE
    THEN coalesce(ENDED_BEFORE, '')
           IN ('', 'first connection', 'hole', 'gap reported', 'new run', 'queue lost', 'history not kept')
         AND coalesce(FROM_SEQ <= SEQ_BEFORE, 0)
    ELSE ENDED_BEFORE = 'orderly end' AND coalesce(FROM_SEQ <= coalesce(SEQ_OF_RUN, 0), 0) END
  -- A server that greeted in between, of which not a word came, may have spoken.
  AND NOT EXISTS (
    SELECT 1 FROM ICON_DSS o
    JOIN ICON_V_DATA_SOURCE_SESSION d ON d.DSS_ID = o.DSS_ID AND d.ICON_DBID = o.ICON_DBID
    WHERE o.DSS_ID >= g.DOMAIN_BEFORE AND o.DSS_ID < g.GSYS_DOMAIN AND o.RUN NOT IN (g.RUN, g.RUN_BEFORE)
      AND coalesce(d.DS_DBID_PRIM, d.DS_DBID) = g.SOURCE_CLUSTER AND d.DS2_DBID = g.SWITCH_DBID
  )
)
UNION ALL
-- Windows that are condemned by a word in them. Words that are not known here may mean anything.
SELECT SOURCE_CLUSTER, SWITCH_DBID, WINDOW_TS, WINDOW_TS + (SELECT WINDOW_SECONDS FROM ICON_APPLIED WHERE ID = 1), WHY
FROM (
  SELECT w.SOURCE_CLUSTER, w.SWITCH_DBID, w.WINDOW_TS,
    iif(json_valid(w.FAULTS), (
      SELECT group_concat(f.value, ', ') FROM json_each(iif(json_valid(w.FAULTS), w.FAULTS, '[]')) f
      WHERE f.value NOT IN ('host clock stepped', 'reconciled by snapshot', 'gap reported', 'late event',
        'later windows not marked', 'source clock unknown')
    ), 'unreadable faults') AS WHY
  FROM ICON_WINDOW w
  WHERE w.FAULTS <> '[]'
)
WHERE WHY IS NOT NULL
UNION ALL
-- A server that said that it is blind, in a run of which no span had begun, was so until the next one begins.
SELECT w.SOURCE_CLUSTER, w.SWITCH_DBID, w.WINDOW_TS,
  coalesce((
    SELECT (min(unixepoch(s.FROM_TIME)) / a.WINDOW_SECONDS + 1) * a.WINDOW_SECONDS FROM ICON_COVERAGE s
    WHERE s.SOURCE_CLUSTER = w.SOURCE_CLUSTER AND s.SWITCH_DBID = w.SWITCH_DBID
      AND s.FROM_TIME >= strftime('%Y-%m-%dT%H:%M:%fZ', w.WINDOW_TS, 'unixepoch')
  ), 253402300799),
  iif(w.FAULTS LIKE '%"cti link down"%', 'cti link down', 'link to another server down')
FROM ICON_WINDOW w JOIN ICON_APPLIED a ON a.ID = 1
WHERE w.FAULTS <> '[]' AND (w.FAULTS LIKE '%"cti link down"%' OR w.FAULTS LIKE '%"link to another server down"%')
UNION ALL
-- What was heard, and whose calls and login sessions a purge has deleted since (schema/purge-mark.ts).
SELECT v.SOURCE_CLUSTER, v.SWITCH_DBID, v.HEARD_FROM_TS - v.HEARD_FROM_TS % v.WINDOW_SECONDS,
  (purge.BEFORE_TS + v.WINDOW_SECONDS - 1) / v.WINDOW_SECONDS * v.WINDOW_SECONDS, 'purged'
FROM ICON_V_SOURCE v
JOIN (SELECT max(unixepoch(substr(DETAIL, 8, 24))) AS BEFORE_TS FROM ICON_MARK WHERE KIND = 'purge') purge
  ON purge.BEFORE_TS > v.HEARD_FROM_TS;
--> statement-breakpoint
-- One row is one G_CALL row with the data source that it is of.
CREATE VIEW ICON_V_CALL_OF_SOURCE (
  ID, CALLID, CALLTYPE, CALLANI, CALLDNIS, PARENTCALLID, MERGECALLID, CREATED, CREATED_TS, TERMINATED, TERMINATED_TS,
  SOURCE_CLUSTER, -- of the data source session in which the row was processed
  SWITCH_DBID
) AS
SELECT c.ID, c.CALLID, c.CALLTYPE, c.CALLANI, c.CALLDNIS, c.PARENTCALLID, c.MERGECALLID, c.CREATED, c.CREATED_TS,
  c.TERMINATED, c.TERMINATED_TS,
  (SELECT coalesce(d.DS_DBID_PRIM, d.DS_DBID) FROM G_DSS_GCC_PROVIDER d WHERE d.DSS_ID = c.GSYS_DOMAIN LIMIT 1),
  (SELECT d.DS2_DBID FROM G_DSS_GCC_PROVIDER d WHERE d.DSS_ID = c.GSYS_DOMAIN LIMIT 1)
FROM G_CALL c;
--> statement-breakpoint
-- One row is one G_PARTY row with the data source that it is of.
CREATE VIEW ICON_V_PARTY_OF_SOURCE (
  ID, PARTYID, CALLID, PARENTPARTYID, PARENTLINKTYPE, TYPE, PROLE, DN, STATE, PREVSTATE, CCEVENT, CCEVENTCAUSE,
  CREATED, CREATED_TS, TERMINATED, TERMINATED_TS,
  SOURCE_CLUSTER, -- of the data source session in which the row was processed
  SWITCH_DBID
) AS
SELECT p.ID, p.PARTYID, p.CALLID, p.PARENTPARTYID, p.PARENTLINKTYPE, p.TYPE, p.PROLE, p.ENDPOINTDN, p.STATE, p.PREVSTATE,
  p.CCEVENT, p.CCEVENTCAUSE, p.CREATED, p.CREATED_TS, p.TERMINATED, p.TERMINATED_TS,
  (SELECT coalesce(d.DS_DBID_PRIM, d.DS_DBID) FROM G_DSS_GCC_PROVIDER d WHERE d.DSS_ID = p.GSYS_DOMAIN LIMIT 1),
  (SELECT d.DS2_DBID FROM G_DSS_GCC_PROVIDER d WHERE d.DSS_ID = p.GSYS_DOMAIN LIMIT 1)
FROM G_PARTY p;
--> statement-breakpoint
-- One row is one login session with the data source that it is of.
CREATE VIEW ICON_V_LOGIN_SESSION (
  LOGINSESSIONID, AGENTLOGIN, CREATED, CREATED_TS, TERMINATED, TERMINATED_TS,
  SOURCE_CLUSTER, -- of the data source session in which the row was processed
  SWITCH_DBID,
  QUALITY -- words of ICON_ROW_QUALITY: what of it nobody saw; null: all was seen
) AS
SELECT l.LOGINSESSIONID, l.AGENTLOGIN, l.CREATED, l.CREATED_TS, l.TERMINATED, l.TERMINATED_TS,
  coalesce(
    (SELECT coalesce(d.DS_DBID_PRIM, d.DS_DBID) FROM G_DSS_GLS_PROVIDER d WHERE d.DSS_ID = l.GSYS_DOMAIN LIMIT 1),
    (SELECT coalesce(d.DS_DBID_PRIM, d.DS_DBID) FROM G_DSS_GCC_PROVIDER d WHERE d.DSS_ID = l.GSYS_DOMAIN LIMIT 1)
  ),
  coalesce(
    (SELECT d.DS2_DBID FROM G_DSS_GLS_PROVIDER d WHERE d.DSS_ID = l.GSYS_DOMAIN LIMIT 1),
    (SELECT d.DS2_DBID FROM G_DSS_GCC_PROVIDER d WHERE d.DSS_ID = l.GSYS_DOMAIN LIMIT 1)
  ),
  (SELECT group_concat(q.REASON, ', ') FROM ICON_ROW_QUALITY q WHERE q.ROW_KEY = l.LOGINSESSIONID)
FROM G_LOGIN_SESSION l;
--> statement-breakpoint
-- One row is one G_VIRTUAL_QUEUE row with the data source that it is of.
CREATE VIEW ICON_V_VIRTUAL_STAY_OF_SOURCE (
  ID, VQUEUEID, VQID, CALLID, QUEUE, CAUSE, DISTCALLID, CREATED, CREATED_TS, TERMINATED, TERMINATED_TS,
  SOURCE_CLUSTER, -- of the data source session in which the row was processed
  SWITCH_DBID
) AS
SELECT v.ID, v.VQUEUEID, v.VQID, v.CALLID, v.ENDPOINTDN, v.CAUSE, v.DISTCALLID, v.CREATED, v.CREATED_TS, v.TERMINATED,
  v.TERMINATED_TS,
  (SELECT coalesce(d.DS_DBID_PRIM, d.DS_DBID) FROM G_DSS_GCC_PROVIDER d WHERE d.DSS_ID = v.GSYS_DOMAIN LIMIT 1),
  (SELECT d.DS2_DBID FROM G_DSS_GCC_PROVIDER d WHERE d.DSS_ID = v.GSYS_DOMAIN LIMIT 1)
FROM G_VIRTUAL_QUEUE v;
