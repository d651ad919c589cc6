-- Agents' time in intervals of 15 minutes, and the same of 30 and of days (views.ts makes them of these). They stand on
-- ICON_V_INTERVAL_15 (intervals.sql) and ICON_V_AGENT_STATE (agents.sql). There is no row where an agent was not logged in.

-- One row is one agent's interval on one DN, against one queue or none: the parts of its states that lie in it. Rows of one
-- agent tell of the same time, and are not to be added up: ICON_V_AGENT_15 has each moment once.
CREATE VIEW ICON_V_AGENT_QUEUE_15 (
  SOURCE_CLUSTER,
  SWITCH_DBID,
  AGENTLOGIN,
  DN,
  QUEUE, -- null: against none
  INTERVAL_TS, -- filter on this: its beginning, UTC seconds
  INTERVAL_START, -- the same as text
  IS_COMPLETE, -- 1: every measure is the truth
  INCOMPLETE_BECAUSE, -- why all measures are null; "session not seen": of a login session something happened that nobody saw, here or it cannot be told where (ICON_ROW_QUALITY)
  LOGIN_SECONDS, -- in any state
  READY_SECONDS,
  NOT_READY_SECONDS, -- paused
  AFTER_CALL_SECONDS,
  BUSY_SECONDS, -- on a call
  UNKNOWN_SECONDS, -- logged in; ready or not is not known
  OCCUPANCY -- busy and after-call work, of these and ready together, 0 to 1; null where there was none
) AS
SELECT SOURCE_CLUSTER, SWITCH_DBID, AGENTLOGIN, DN, QUEUE, INTERVAL_TS, strftime('%Y-%m-%dT%H:%M:%SZ', INTERVAL_TS, 'unixepoch'),
  WHY IS NULL, WHY,
  iif(WHY IS NULL, round(READY + NOT_READY + AFTER_CALL + BUSY + UNKNOWN, 3), NULL),
  iif(WHY IS NULL, READY, NULL),
  iif(WHY IS NULL, NOT_READY, NULL),
  iif(WHY IS NULL, AFTER_CALL, NULL),
  iif(WHY IS NULL, BUSY, NULL),
  iif(WHY IS NULL, UNKNOWN, NULL),
  iif(WHY IS NULL AND READY + AFTER_CALL + BUSY > 0, round((AFTER_CALL + BUSY) / (READY + AFTER_CALL + BUSY), 4), NULL)
FROM (
  SELECT i.SOURCE_CLUSTER, i.SWITCH_DBID, s.AGENTLOGIN, s.DN, s.QUEUE, i.INTERVAL_TS,
    /*list of max(i.INCOMPLETE_BECAUSE); iif(total(/*is in doubt within the interval*/) > 0, 'session not seen', NULL)*/ AS WHY,
    /*part of the interval in ready*/ AS READY,
    /*part of the interval in not ready*/ AS NOT_READY,
    /*part of the interval in after-call work*/ AS AFTER_CALL,
    /*part of the interval in busy*/ AS BUSY,
    /*part of the interval in logged in*/ AS UNKNOWN
  FROM ICON_V_INTERVAL_15 i
  CROSS JOIN ICON_V_AGENT_STATE s ON (s.SESSION_UNTIL_TS >= i.INTERVAL_TS OR s.SESSION_UNTIL_TS IS NULL)
    -- By how late sessions ended: those of long ago are not looked at.
    AND +s.SESSION_FROM_TS < i.INTERVAL_TS + 900
    AND s.SOURCE_CLUSTER = i.SOURCE_CLUSTER AND s.SWITCH_DBID = i.SWITCH_DBID
    AND /*time of s.STATE_FROM*/ < i.INTERVAL_TS + 900
    AND (s.STATE_UNTIL IS NULL OR /*time of s.STATE_UNTIL*/ > i.INTERVAL_TS)
  GROUP BY i.SOURCE_CLUSTER, i.SWITCH_DBID, s.AGENTLOGIN, s.DN, s.QUEUE, i.INTERVAL_TS
);
--> statement-breakpoint
-- One row is one agent's interval, on however many DNs and against however many queues: each moment counts once. What is
-- different at the same time is busy before after-call work, that before ready, that before not ready. Of whom nobody
-- knows the login, each DN has a row.
CREATE VIEW ICON_V_AGENT_15 (
  SOURCE_CLUSTER,
  SWITCH_DBID,
  AGENTLOGIN,
  DNS, -- at which the agent was, with commas
  INTERVAL_TS, -- filter on this: its beginning, UTC seconds
  INTERVAL_START, -- the same as text
  IS_COMPLETE, -- 1: every measure is the truth
  INCOMPLETE_BECAUSE, -- why all measures are null; "session not seen": of a login session something happened that nobody saw, here or it cannot be told where (ICON_ROW_QUALITY)
  LOGIN_SECONDS, -- in any state
  READY_SECONDS,
  NOT_READY_SECONDS, -- paused
  AFTER_CALL_SECONDS,
  BUSY_SECONDS, -- on a call
  UNKNOWN_SECONDS, -- logged in; ready or not is not known
  OCCUPANCY -- busy and after-call work, of these and ready together, 0 to 1; null where there was none
) AS
SELECT SOURCE_CLUSTER, SWITCH_DBID, AGENTLOGIN, DNS, INTERVAL_TS, strftime('%Y-%m-%dT%H:%M:%SZ', INTERVAL_TS, 'unixepoch'),
  WHY IS NULL, WHY,
  iif(WHY IS NULL, round(READY + NOT_READY + AFTER_CALL + BUSY + UNKNOWN, 3), NULL),
  iif(WHY IS NULL, READY, NULL),
  iif(WHY IS NULL, NOT_READY, NULL),
  iif(WHY IS NULL, AFTER_CALL, NULL),
  iif(WHY IS NULL, BUSY, NULL),
  iif(WHY IS NULL, UNKNOWN, NULL),
  iif(WHY IS NULL AND READY + AFTER_CALL + BUSY > 0, round((AFTER_CALL + BUSY) / (READY + AFTER_CALL + BUSY), 4), NULL)
FROM (
  SELECT i.SOURCE_CLUSTER, i.SWITCH_DBID, j.value ->> 0 AS AGENTLOGIN,
    (SELECT group_concat(DN) FROM (SELECT d.value AS DN FROM json_each(j.value ->> 1) d ORDER BY d.value)) AS DNS,
    i.INTERVAL_TS,
    /*list of i.INCOMPLETE_BECAUSE; iif(j.value ->> 2 > 0, 'session not seen', NULL)*/ AS WHY,
    j.value ->> 3 AS READY, j.value ->> 4 AS NOT_READY, j.value ->> 5 AS AFTER_CALL, j.value ->> 6 AS BUSY,
    j.value ->> 7 AS UNKNOWN
  FROM ICON_V_INTERVAL_15 i
  -- A list for each agent of one interval, as ICON_V_QUEUE_15 has one for each queue.
  CROSS JOIN json_each((
    SELECT json_group_array(json_array(AGENTLOGIN, DNS, UNSEEN, READY, NOT_READY, AFTER_CALL, BUSY, UNKNOWN))
    FROM (
      SELECT AGENTLOGIN, json_group_array(DISTINCT DN) AS DNS, total(IS_DOUBTFUL) AS UNSEEN,
        round(total(iif(BUSY = 0 AND AFTER_CALL = 0 AND READY > 0, SECONDS, 0)), 3) AS READY,
        round(total(iif(BUSY = 0 AND AFTER_CALL = 0 AND READY = 0 AND NOT_READY > 0, SECONDS, 0)), 3) AS NOT_READY,
        round(total(iif(BUSY = 0 AND AFTER_CALL > 0, SECONDS, 0)), 3) AS AFTER_CALL,
        round(total(iif(BUSY > 0, SECONDS, 0)), 3) AS BUSY,
        round(total(iif(BUSY + AFTER_CALL + READY + NOT_READY = 0 AND UNKNOWN > 0, SECONDS, 0)), 3) AS UNKNOWN
      FROM (
        -- From each change to the next: how many of the agent's places are in which state.
        SELECT AGENTLOGIN, NAMELESS_DN, DN, IS_DOUBTFUL,
          lead(AT, 1, AT) OVER agent - AT AS SECONDS,
          total(STEP * (STATE = 'busy')) OVER agent AS BUSY,
          total(STEP * (STATE = 'after-call work')) OVER agent AS AFTER_CALL,
          total(STEP * (STATE = 'ready')) OVER agent AS READY,
          total(STEP * (STATE = 'not ready')) OVER agent AS NOT_READY,
          total(STEP * (STATE = 'logged in')) OVER agent AS UNKNOWN
        FROM (
          SELECT s.AGENTLOGIN, s.DN, s.STATE, /*is in doubt within the interval*/ AS IS_DOUBTFUL,
            iif(s.AGENTLOGIN IS NULL, s.DN, NULL) AS NAMELESS_DN, e.STEP,
            iif(e.STEP = 1, /*beginning of the part*/, /*end of the part*/) AS AT
          FROM ICON_V_AGENT_STATE s
          CROSS JOIN (SELECT 1 AS STEP UNION ALL SELECT -1) e
          WHERE (s.SESSION_UNTIL_TS >= i.INTERVAL_TS OR s.SESSION_UNTIL_TS IS NULL)
            AND +s.SESSION_FROM_TS < i.INTERVAL_TS + 900
            AND s.SOURCE_CLUSTER = i.SOURCE_CLUSTER AND s.SWITCH_DBID = i.SWITCH_DBID
            AND /*time of s.STATE_FROM*/ < i.INTERVAL_TS + 900
            AND (s.STATE_UNTIL IS NULL OR /*time of s.STATE_UNTIL*/ > i.INTERVAL_TS)
        )
        WINDOW agent AS (PARTITION BY AGENTLOGIN, NAMELESS_DN ORDER BY AT)
      )
      GROUP BY AGENTLOGIN, NAMELESS_DN
    )
  )) j
);
