-- Agents: which states each was in. They stand on ICON_V_LOGIN_SESSION (ledger.sql, extraction.sql).

-- One row is one stretch in which an agent was in one state on one DN, against one queue or none, within one login session.
CREATE VIEW ICON_V_AGENT_STATE (
  LOGINSESSIONID,
  SOURCE_CLUSTER,
  SWITCH_DBID,
  AGENTLOGIN, -- what the agent logged in as
  DN,
  QUEUE, -- DN of the queue; null: against none
  STATE, -- class 1007: logged in, not ready, ready, after-call work, busy
  STATE_FROM,
  STATE_UNTIL, -- next change of the state there, or the session's end; null: it goes on
  SECONDS, -- null while it goes on
  SESSION_FROM_TS, -- when the agent logged in: filter on this, it has an index
  SESSION_UNTIL_TS, -- when the session ended; it has an index too
  QUALITY -- words of ICON_ROW_QUALITY on the login session: what of it nobody saw; null: all was seen
) AS
SELECT LOGINSESSIONID, SOURCE_CLUSTER, SWITCH_DBID, AGENTLOGIN, DN, QUEUE, STATE, STATE_FROM, STATE_UNTIL,
  round(/*time of STATE_UNTIL*/ - /*time of STATE_FROM*/, 3), SESSION_FROM_TS, SESSION_UNTIL_TS, QUALITY
FROM (
  SELECT s.LOGINSESSIONID, s.SOURCE_CLUSTER, s.SWITCH_DBID, s.AGENTLOGIN, h.ENDPOINTDN AS DN, h.QUEUEDN AS QUEUE,
    (SELECT d.NAME FROM G_DICTIONARY d WHERE d.DICT_TYPE_ID = 1007 AND d.DICT_VALUE_ID = h.STATE) AS STATE,
    h.ADDED AS STATE_FROM,
    coalesce((
      SELECT n.ADDED FROM G_AGENT_STATE_HISTORY n
      WHERE n.LOGINSESSIONID = h.LOGINSESSIONID AND n.TYPE = 5 AND n.ENDPOINTDN = h.ENDPOINTDN AND n.QUEUEDN IS h.QUEUEDN
        AND n.SEQ > h.SEQ
      ORDER BY n.SEQ LIMIT 1
    ), s.TERMINATED) AS STATE_UNTIL,
    s.CREATED_TS AS SESSION_FROM_TS, s.TERMINATED_TS AS SESSION_UNTIL_TS, s.QUALITY
  FROM ICON_V_LOGIN_SESSION s
  CROSS JOIN G_AGENT_STATE_HISTORY h ON h.LOGINSESSIONID = s.LOGINSESSIONID
  WHERE +h.TYPE = 5 AND h.STATE <> 0
);
