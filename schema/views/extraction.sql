-- Which time is known, in an extraction's output: what was judged of all copies together. Names and columns are those of
-- ledger.sql.

-- One row is one data source that was extracted, and the time of it that was.
CREATE VIEW ICON_V_SOURCE (
  SOURCE_CLUSTER, -- DBID of the pair's primary server
  SWITCH_DBID,
  NAME, -- as it is called in the configuration
  WINDOW_SECONDS, -- length of a window in the ledger
  HEARD_FROM_TS, -- first window that was judged, UTC seconds by the source's own clock
  HEARD_UNTIL_TS, -- end of the last one
  KNOWN_FROM_TS, -- from here on, gaps left out, everything is known
  KNOWN_UNTIL_TS -- up to here
) AS
SELECT w.SOURCE_CLUSTER, w.SWITCH_DBID,
  (SELECT o.SOURCE FROM ICON_DSS o
   WHERE EXISTS (
     SELECT 1 FROM ICON_V_DATA_SOURCE_SESSION d
     WHERE d.DSS_ID = o.DSS_ID AND d.ICON_DBID = o.ICON_DBID
       AND coalesce(d.DS_DBID_PRIM, d.DS_DBID) = w.SOURCE_CLUSTER AND d.DS2_DBID = w.SWITCH_DBID
   )
   ORDER BY o.DSS_ID DESC LIMIT 1),
  (SELECT WINDOW_SECONDS FROM ICON_EXTRACT WHERE ID = 1),
  min(w.FROM_TS), max(w.UNTIL_TS), min(w.FROM_TS), max(w.UNTIL_TS)
FROM ICON_EXTRACT_WINDOWS w
GROUP BY w.SOURCE_CLUSTER, w.SWITCH_DBID;
--> statement-breakpoint
-- One row is one stretch of a source's time, between KNOWN_FROM_TS and KNOWN_UNTIL_TS, that no copy could vouch for when
-- it was extracted. Whole windows.
CREATE VIEW ICON_V_GAP (
  SOURCE_CLUSTER,
  SWITCH_DBID,
  FROM_TS, -- UTC seconds
  UNTIL_TS, -- not part of it
  WHY -- word of docs/availability.md: gap reported, session ended, damaged record, …
) AS
SELECT w.SOURCE_CLUSTER, w.SWITCH_DBID, w.FROM_TS, w.UNTIL_TS,
  coalesce((SELECT group_concat(c.value, ', ') FROM json_each(w.CAUSES) c), w.STATE)
FROM ICON_EXTRACT_WINDOWS w
WHERE w.STATE NOT IN ('complete', 'silent')
UNION ALL
SELECT SOURCE_CLUSTER, SWITCH_DBID, BEFORE, FROM_TS, 'not extracted'
FROM (
  SELECT w.SOURCE_CLUSTER, w.SWITCH_DBID, w.FROM_TS, lag(w.UNTIL_TS) OVER source AS BEFORE
  FROM ICON_EXTRACT_WINDOWS w
  WINDOW source AS (PARTITION BY w.SOURCE_CLUSTER, w.SWITCH_DBID ORDER BY w.FROM_TS)
)
WHERE BEFORE < FROM_TS;
--> statement-breakpoint
-- One row is one G_CALL row with the data source that it is of.
CREATE VIEW ICON_V_CALL_OF_SOURCE (
  ID, CALLID, CALLTYPE, CALLANI, CALLDNIS, PARENTCALLID, MERGECALLID, CREATED, CREATED_TS, TERMINATED, TERMINATED_TS,
  SOURCE_CLUSTER, -- as it was extracted: numbers of sessions may be those of two instances
  SWITCH_DBID
) AS
SELECT c.ID, c.CALLID, c.CALLTYPE, c.CALLANI, c.CALLDNIS, c.PARENTCALLID, c.MERGECALLID, c.CREATED, c.CREATED_TS,
  c.TERMINATED, c.TERMINATED_TS,
  (SELECT x.SOURCE_CLUSTER FROM ICON_EXTRACT_CALL x WHERE x.CALLID = c.CALLID),
  (SELECT x.SWITCH_DBID FROM ICON_EXTRACT_CALL x WHERE x.CALLID = c.CALLID)
FROM G_CALL c;
--> statement-breakpoint
-- One row is one G_PARTY row with the data source that it is of.
CREATE VIEW ICON_V_PARTY_OF_SOURCE (
  ID, PARTYID, CALLID, PARENTPARTYID, PARENTLINKTYPE, TYPE, PROLE, DN, STATE, PREVSTATE, CCEVENT, CCEVENTCAUSE,
  CREATED, CREATED_TS, TERMINATED, TERMINATED_TS,
  SOURCE_CLUSTER, -- of the call: numbers of sessions may be those of two instances
  SWITCH_DBID
) AS
SELECT p.ID, p.PARTYID, p.CALLID, p.PARENTPARTYID, p.PARENTLINKTYPE, p.TYPE, p.PROLE, p.ENDPOINTDN, p.STATE, p.PREVSTATE,
  p.CCEVENT, p.CCEVENTCAUSE, p.CREATED, p.CREATED_TS, p.TERMINATED, p.TERMINATED_TS,
  (SELECT c.SOURCE_CLUSTER FROM ICON_EXTRACT_CALL c WHERE c.CALLID = p.CALLID),
  (SELECT c.SWITCH_DBID FROM ICON_EXTRACT_CALL c WHERE c.CALLID = p.CALLID)
FROM G_PARTY p;
--> statement-breakpoint
-- One row is one login session with the data source that it is of.
CREATE VIEW ICON_V_LOGIN_SESSION (
  LOGINSESSIONID, AGENTLOGIN, CREATED, CREATED_TS, TERMINATED, TERMINATED_TS,
  SOURCE_CLUSTER, -- as it was extracted: numbers of sessions may be those of two instances
  SWITCH_DBID,
  QUALITY -- words of ICON_ROW_QUALITY: what of it nobody saw; null: all was seen
) AS
SELECT l.LOGINSESSIONID, l.AGENTLOGIN, l.CREATED, l.CREATED_TS, l.TERMINATED, l.TERMINATED_TS,
  (SELECT x.SOURCE_CLUSTER FROM ICON_EXTRACT_LOGIN_SESSION x WHERE x.LOGINSESSIONID = l.LOGINSESSIONID),
  (SELECT x.SWITCH_DBID FROM ICON_EXTRACT_LOGIN_SESSION x WHERE x.LOGINSESSIONID = l.LOGINSESSIONID),
  (SELECT group_concat(q.REASON, ', ') FROM ICON_ROW_QUALITY q WHERE q.ROW_KEY = l.LOGINSESSIONID)
FROM G_LOGIN_SESSION l;
--> statement-breakpoint
-- One row is one G_VIRTUAL_QUEUE row with the data source that its call is of.
CREATE VIEW ICON_V_VIRTUAL_STAY_OF_SOURCE (
  ID, VQUEUEID, VQID, CALLID, QUEUE, CAUSE, DISTCALLID, CREATED, CREATED_TS, TERMINATED, TERMINATED_TS,
  SOURCE_CLUSTER, -- of the call
  SWITCH_DBID
) AS
SELECT v.ID, v.VQUEUEID, v.VQID, v.CALLID, v.ENDPOINTDN, v.CAUSE, v.DISTCALLID, v.CREATED, v.CREATED_TS, v.TERMINATED,
  v.TERMINATED_TS,
  (SELECT c.SOURCE_CLUSTER FROM ICON_EXTRACT_CALL c WHERE c.CALLID = v.CALLID),
  (SELECT c.SWITCH_DBID FROM ICON_EXTRACT_CALL c WHERE c.CALLID = v.CALLID)
FROM G_VIRTUAL_QUEUE v;
