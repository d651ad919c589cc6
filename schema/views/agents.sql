-- Agents: how long each was in which state. They stand on ICON_V_INTERVAL_DAY (intervals.sql).

-- One row is one stretch in which an agent was in one state on one DN, against one queue or none, within one login session.
CREATE VIEW ICON_V_AGENT_STATE (
  LOGINSESSIONID,
  SOURCE_CLUSTER,
  SWITCH_DBID,
  AGENTLOGIN, -- what the agent logged in as
  DN,
  QUEUE, -- DN of the queue; null: against none
  STATE, -- class 1007: login, not ready, ready, after-call work, busy
  STATE_FROM,
  STATE_UNTIL, -- next change of the state there, or the session's end; null: it goes on
  SECONDS, -- null while it goes on
  SESSION_FROM_TS, -- when the agent logged in: filter on this, it has an index
  QUALITY -- words of ICON_ROW_QUALITY on the login session: what of it nobody saw; null: all was seen
) AS
SELECT LOGINSESSIONID, SOURCE_CLUSTER, SWITCH_DBID, AGENTLOGIN, DN, QUEUE, STATE, STATE_FROM, STATE_UNTIL,
  round(unixepoch(STATE_UNTIL, 'subsec') - unixepoch(STATE_FROM, 'subsec'), 3), SESSION_FROM_TS, QUALITY
FROM (
  SELECT s.LOGINSESSIONID, s.AGENTLOGIN, h.ENDPOINTDN AS DN, h.QUEUEDN AS QUEUE,
    (SELECT d.NAME FROM G_DICTIONARY d WHERE d.DICT_TYPE_ID = 1007 AND d.DICT_VALUE_ID = h.STATE) AS STATE,
    h.ADDED AS STATE_FROM,
    coalesce((
      SELECT n.ADDED FROM G_AGENT_STATE_HISTORY n
      WHERE n.LOGINSESSIONID = h.LOGINSESSIONID AND n.TYPE = 5 AND n.ENDPOINTDN = h.ENDPOINTDN AND n.QUEUEDN IS h.QUEUEDN
        AND n.SEQ > h.SEQ
      ORDER BY n.SEQ LIMIT 1
    ), s.TERMINATED) AS STATE_UNTIL,
    s.CREATED_TS AS SESSION_FROM_TS,
    (SELECT group_concat(q.REASON, ', ') FROM ICON_ROW_QUALITY q WHERE q.ROW_KEY = s.LOGINSESSIONID) AS QUALITY,
    coalesce(
      (SELECT coalesce(d.DS_DBID_PRIM, d.DS_DBID) FROM G_DSS_GLS_PROVIDER d WHERE d.DSS_ID = s.GSYS_DOMAIN LIMIT 1),
      (SELECT coalesce(d.DS_DBID_PRIM, d.DS_DBID) FROM G_DSS_GCC_PROVIDER d WHERE d.DSS_ID = s.GSYS_DOMAIN LIMIT 1)
    ) AS SOURCE_CLUSTER,
    coalesce(
      (SELECT d.DS2_DBID FROM G_DSS_GLS_PROVIDER d WHERE d.DSS_ID = s.GSYS_DOMAIN LIMIT 1),
      (SELECT d.DS2_DBID FROM G_DSS_GCC_PROVIDER d WHERE d.DSS_ID = s.GSYS_DOMAIN LIMIT 1)
    ) AS SWITCH_DBID
  FROM G_LOGIN_SESSION s
  JOIN G_AGENT_STATE_HISTORY h ON h.LOGINSESSIONID = s.LOGINSESSIONID
  WHERE h.TYPE = 5 AND h.STATE <> 0
);
--> statement-breakpoint
-- One row is one agent's day (UTC) on one DN, against one queue or none: the parts of its states that lie in the day. Rows of
-- one agent on several DNs or against several queues tell of the same time, and are not to be added up.
CREATE VIEW ICON_V_AGENT_DAY (
  SOURCE_CLUSTER,
  SWITCH_DBID,
  AGENTLOGIN,
  DN,
  QUEUE, -- null: against none
  DAY_TS, -- filter on this: its beginning, UTC seconds
  DAY, -- the same as text
  IS_COMPLETE, -- 1: every measure is the truth
  INCOMPLETE_BECAUSE, -- why all measures are null; "session not seen": nobody saw how a login session began or ended
  LOGIN_SECONDS, -- in any state
  READY_SECONDS,
  NOT_READY_SECONDS, -- paused
  AFTER_CALL_SECONDS,
  BUSY_SECONDS, -- on a call
  UNKNOWN_SECONDS, -- logged in; ready or not is not known
  OCCUPANCY -- busy and after-call work of the time that was not paused, 0 to 1; null where there was none
) AS
SELECT SOURCE_CLUSTER, SWITCH_DBID, AGENTLOGIN, DN, QUEUE, DAY_TS, strftime('%Y-%m-%d', DAY_TS, 'unixepoch'),
  WHY IS NULL, WHY,
  iif(WHY IS NULL, round(READY + NOT_READY + AFTER_CALL + BUSY + UNKNOWN, 3), NULL),
  iif(WHY IS NULL, READY, NULL),
  iif(WHY IS NULL, NOT_READY, NULL),
  iif(WHY IS NULL, AFTER_CALL, NULL),
  iif(WHY IS NULL, BUSY, NULL),
  iif(WHY IS NULL, UNKNOWN, NULL),
  iif(WHY IS NULL AND READY + AFTER_CALL + BUSY > 0, round((AFTER_CALL + BUSY) / (READY + AFTER_CALL + BUSY), 4), NULL)
FROM (
  SELECT i.SOURCE_CLUSTER, i.SWITCH_DBID, s.AGENTLOGIN, s.DN, s.QUEUE, i.INTERVAL_TS AS DAY_TS,
    nullif(concat_ws(',', max(i.INCOMPLETE_BECAUSE), iif(count(s.QUALITY) > 0, 'session not seen', NULL)), '') AS WHY,
    /*part of the day in ready*/ AS READY,
    /*part of the day in not ready*/ AS NOT_READY,
    /*part of the day in after-call work*/ AS AFTER_CALL,
    /*part of the day in busy*/ AS BUSY,
    /*part of the day in login*/ AS UNKNOWN
  FROM ICON_V_INTERVAL_DAY i
  CROSS JOIN ICON_V_AGENT_STATE s ON s.SESSION_FROM_TS < i.INTERVAL_TS + 86400
    AND s.SOURCE_CLUSTER = i.SOURCE_CLUSTER AND s.SWITCH_DBID = i.SWITCH_DBID
    AND unixepoch(s.STATE_FROM) < i.INTERVAL_TS + 86400
    AND (s.STATE_UNTIL IS NULL OR unixepoch(s.STATE_UNTIL, 'subsec') > i.INTERVAL_TS)
  GROUP BY i.SOURCE_CLUSTER, i.SWITCH_DBID, s.AGENTLOGIN, s.DN, s.QUEUE, i.INTERVAL_TS
);
