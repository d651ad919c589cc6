-- Intervals as staffing counts them: of 15 minutes, and the same of 30 and of days (views.ts makes them of these). UTC: every
-- time zone of today keeps to quarters of an hour, but its days are sums of those.
--
-- 1. Every interval of the time that a source was heard is there, also those without a call.
-- 2. One that the ledger does not vouch for, or in which the fate of a call was not seen, has INCOMPLETE_BECAUSE, and all
--    its measures are null, never 0. sum() leaves null out: whoever adds intervals up asks for min(IS_COMPLETE) too.
-- 3. Filter on INTERVAL_TS: that goes down to the index on G_PARTY.CREATED_TS. Other filters are applied at the end.

-- One row is one interval of one data source's time, from when it was first heard to its last word.
CREATE VIEW ICON_V_INTERVAL_15 (
  SOURCE_CLUSTER,
  SWITCH_DBID,
  INTERVAL_TS, -- its beginning, UTC seconds
  INTERVAL_START, -- the same as text
  IS_COMPLETE, -- 1: every event of it is here
  INCOMPLETE_BECAUSE -- null: it is complete; else words of docs/availability.md, or "not listened yet", "not heard yet"
) AS
WITH RECURSIVE step (SOURCE_CLUSTER, SWITCH_DBID, KNOWN_FROM_TS, KNOWN_UNTIL_TS, LAST_TS, TS) AS (
  SELECT SOURCE_CLUSTER, SWITCH_DBID, KNOWN_FROM_TS, KNOWN_UNTIL_TS, HEARD_UNTIL_TS, HEARD_FROM_TS - HEARD_FROM_TS % 900
  FROM ICON_V_SOURCE
  UNION ALL
  SELECT SOURCE_CLUSTER, SWITCH_DBID, KNOWN_FROM_TS, KNOWN_UNTIL_TS, LAST_TS, TS + 900 FROM step WHERE TS + 900 <= LAST_TS
)
SELECT SOURCE_CLUSTER, SWITCH_DBID, TS, strftime('%Y-%m-%dT%H:%M:%SZ', TS, 'unixepoch'),
  count(WHY) = 0, group_concat(DISTINCT WHY)
FROM (
  SELECT i.SOURCE_CLUSTER, i.SWITCH_DBID, i.TS,
    CASE
      WHEN i.TS < i.KNOWN_FROM_TS THEN 'not listened yet'
      WHEN i.TS + 900 > i.KNOWN_UNTIL_TS THEN 'not heard yet'
      ELSE g.WHY
    END AS WHY
  FROM step i
  LEFT JOIN ICON_V_GAP g ON g.SOURCE_CLUSTER = i.SOURCE_CLUSTER AND g.SWITCH_DBID = i.SWITCH_DBID
    AND g.FROM_TS < i.TS + 900 AND g.UNTIL_TS > i.TS
)
GROUP BY SOURCE_CLUSTER, SWITCH_DBID, TS;
--> statement-breakpoint
-- One row is one queue and one interval: what became of the calls that entered the queue within it, whenever that was.
-- ENTERED is the sum of ANSWERED, ABANDONED, ABANDONED_RINGING, PASSED_ON, CLEARED and STILL_THERE.
CREATE VIEW ICON_V_QUEUE_15 (
  SOURCE_CLUSTER,
  SWITCH_DBID,
  QUEUE, -- its DN
  INTERVAL_TS, -- filter on this: its beginning, UTC seconds
  INTERVAL_START, -- the same as text
  IS_COMPLETE, -- 1: every measure is the truth, also a 0
  INCOMPLETE_BECAUSE, -- why all measures are null; "call not seen": nobody saw how a stay of this interval began or ended
  ENTERED, -- calls that entered the queue
  ANSWERED,
  ABANDONED, -- while they waited
  ABANDONED_RINGING,
  PASSED_ON, -- left the queue otherwise
  CLEARED,
  STILL_THERE, -- wait or ring now: the other counts of this interval may rise
  ANSWERED_IN_10, -- answered within 10 s of entering
  ANSWERED_IN_20,
  ANSWERED_IN_30,
  ANSWERED_IN_60,
  SERVICE_LEVEL_20, -- ANSWERED_IN_20 of ENTERED, 0 to 1; null where none entered
  ANSWER_SECONDS, -- total of what those answered waited for it
  ABANDON_SECONDS, -- total of what those abandoned waited in the queue
  LONGEST_QUEUE_SECONDS, -- of those that have left the queue; null: none
  HANDLED, -- answered, and over for whoever answered first
  TALK_SECONDS, -- total of those handled
  HOLD_SECONDS,
  HANDLE_SECONDS,
  AVERAGE_HANDLE_SECONDS, -- null where none was handled
  AFTER_CALL_SECONDS -- total work after those handled, of who answered first; null: some goes on, or no agents are recorded
) AS
SELECT SOURCE_CLUSTER, SWITCH_DBID, C ->> 0, INTERVAL_TS, INTERVAL_START,
  WHY IS NULL, WHY,
  iif(WHY IS NULL, C ->> 2, NULL),
  iif(WHY IS NULL, C ->> 3, NULL),
  iif(WHY IS NULL, C ->> 4, NULL),
  iif(WHY IS NULL, C ->> 5, NULL),
  iif(WHY IS NULL, C ->> 6, NULL),
  iif(WHY IS NULL, C ->> 7, NULL),
  iif(WHY IS NULL, C ->> 8, NULL),
  iif(WHY IS NULL, C ->> 9, NULL),
  iif(WHY IS NULL, C ->> 10, NULL),
  iif(WHY IS NULL, C ->> 11, NULL),
  iif(WHY IS NULL, C ->> 12, NULL),
  iif(WHY IS NULL AND C ->> 2 > 0, round(1.0 * (C ->> 10) / (C ->> 2), 4), NULL),
  iif(WHY IS NULL, C ->> 13, NULL),
  iif(WHY IS NULL, C ->> 14, NULL),
  iif(WHY IS NULL, C ->> 15, NULL),
  iif(WHY IS NULL, C ->> 16, NULL),
  iif(WHY IS NULL, C ->> 17, NULL),
  iif(WHY IS NULL, C ->> 18, NULL),
  iif(WHY IS NULL, C ->> 19, NULL),
  iif(WHY IS NULL AND C ->> 16 > 0, round((C ->> 19) / (C ->> 16), 3), NULL),
  iif(WHY IS NULL, C ->> 20, NULL)
FROM (
  SELECT i.SOURCE_CLUSTER, i.SWITCH_DBID, i.INTERVAL_TS, i.INTERVAL_START, j.value AS C,
    /*list of i.INCOMPLETE_BECAUSE; iif(j.value ->> 1 > 0, 'call not seen', NULL)*/ AS WHY
  FROM ICON_V_INTERVAL_15 i
  -- The counts of all queues of one interval, a list for each, in the order of the columns: only a function may refer to
  -- the interval that it is joined to, and so only the interval's own stays are looked at.
  CROSS JOIN json_each((
    SELECT json_group_array(json_array(QUEUE, NOT_SEEN, ENTERED, ANSWERED, ABANDONED, ABANDONED_RINGING, PASSED_ON, CLEARED,
      STILL_THERE, IN_10, IN_20, IN_30, IN_60, ANSWER_SECONDS, ABANDON_SECONDS, LONGEST, HANDLED, TALK_SECONDS,
      HOLD_SECONDS, HANDLE_SECONDS, AFTER_CALL_SECONDS))
    FROM (
      SELECT QUEUE,
        count(iif(OUTCOME = 'not seen', 1, NULL)) AS NOT_SEEN,
        count(OUTCOME) AS ENTERED,
        count(iif(OUTCOME = 'answered', 1, NULL)) AS ANSWERED,
        count(iif(OUTCOME = 'abandoned', 1, NULL)) AS ABANDONED,
        count(iif(OUTCOME = 'abandoned ringing', 1, NULL)) AS ABANDONED_RINGING,
        count(iif(OUTCOME = 'passed on', 1, NULL)) AS PASSED_ON,
        count(iif(OUTCOME = 'cleared', 1, NULL)) AS CLEARED,
        count(iif(OUTCOME IN ('waiting', 'ringing'), 1, NULL)) AS STILL_THERE,
        count(iif(ANSWER_SECONDS <= 10, 1, NULL)) AS IN_10,
        count(iif(ANSWER_SECONDS <= 20, 1, NULL)) AS IN_20,
        count(iif(ANSWER_SECONDS <= 30, 1, NULL)) AS IN_30,
        count(iif(ANSWER_SECONDS <= 60, 1, NULL)) AS IN_60,
        round(total(ANSWER_SECONDS), 3) AS ANSWER_SECONDS,
        round(total(iif(OUTCOME = 'abandoned', QUEUE_SECONDS, NULL)), 3) AS ABANDON_SECONDS,
        max(QUEUE_SECONDS) AS LONGEST,
        count(HANDLE_SECONDS) AS HANDLED,
        round(total(iif(HANDLE_SECONDS IS NULL, NULL, TALK_SECONDS)), 3) AS TALK_SECONDS,
        round(total(iif(HANDLE_SECONDS IS NULL, NULL, HOLD_SECONDS)), 3) AS HOLD_SECONDS,
        round(total(HANDLE_SECONDS), 3) AS HANDLE_SECONDS,
        iif(count(iif(HANDLE_SECONDS IS NOT NULL AND AFTER_CALL_SECONDS IS NULL, 1, NULL)) > 0, NULL,
          round(total(iif(HANDLE_SECONDS IS NULL, NULL, AFTER_CALL_SECONDS)), 3)) AS AFTER_CALL_SECONDS
      FROM (
        SELECT s.QUEUE, s.OUTCOME, s.ANSWER_SECONDS, s.QUEUE_SECONDS, s.TALK_SECONDS, s.HOLD_SECONDS, s.HANDLE_SECONDS,
          s.AFTER_CALL_SECONDS
        FROM ICON_V_QUEUE_STAY s
        WHERE s.ENTERED_TS >= i.INTERVAL_TS AND s.ENTERED_TS < i.INTERVAL_TS + 900
          AND s.SOURCE_CLUSTER = i.SOURCE_CLUSTER AND s.SWITCH_DBID = i.SWITCH_DBID
        UNION ALL
        SELECT q.QUEUE, NULL, NULL, NULL, NULL, NULL, NULL, NULL
        FROM ICON_V_QUEUE q WHERE q.SOURCE_CLUSTER = i.SOURCE_CLUSTER AND q.SWITCH_DBID = i.SWITCH_DBID
      )
      GROUP BY QUEUE
    )
  )) j
);
--> statement-breakpoint
-- One row is one DN inside and one interval in which it took part in calls: what became of those parts, whenever that was.
-- There is no row where there was none: which DNs somebody sits at is not in the IDB.
CREATE VIEW ICON_V_DN_15 (
  SOURCE_CLUSTER,
  SWITCH_DBID,
  DN,
  INTERVAL_TS, -- filter on this: its beginning, UTC seconds
  INTERVAL_START, -- the same as text
  IS_COMPLETE, -- 1: every measure is the truth
  INCOMPLETE_BECAUSE, -- why all measures are null; "call not seen": nobody saw how a part began or ended
  CALLS, -- parts in calls that began in the interval
  RANG, -- those that rang; who goes on in another call by a transfer or conference has rung in the one before
  ANSWERED, -- those that rang and were connected
  DIALED, -- those that called somebody
  STILL_THERE, -- those that go on
  RING_SECONDS, -- totals of those that are over
  DIAL_SECONDS,
  TALK_SECONDS,
  HOLD_SECONDS,
  HANDLE_SECONDS -- talk and hold
) AS
SELECT SOURCE_CLUSTER, SWITCH_DBID, DN, INTERVAL_TS, strftime('%Y-%m-%dT%H:%M:%SZ', INTERVAL_TS, 'unixepoch'),
  WHY IS NULL, WHY,
  iif(WHY IS NULL, CALLS, NULL),
  iif(WHY IS NULL, RANG, NULL),
  iif(WHY IS NULL, ANSWERED, NULL),
  iif(WHY IS NULL, DIALED, NULL),
  iif(WHY IS NULL, STILL_THERE, NULL),
  iif(WHY IS NULL, RING_SECONDS, NULL),
  iif(WHY IS NULL, DIAL_SECONDS, NULL),
  iif(WHY IS NULL, TALK_SECONDS, NULL),
  iif(WHY IS NULL, HOLD_SECONDS, NULL),
  iif(WHY IS NULL, round(TALK_SECONDS + HOLD_SECONDS, 3), NULL)
FROM (
  SELECT i.SOURCE_CLUSTER, i.SWITCH_DBID, p.DN, i.INTERVAL_TS,
    /*list of max(i.INCOMPLETE_BECAUSE); iif(count(p.QUALITY) > 0, 'call not seen', NULL)*/ AS WHY,
    count(*) AS CALLS,
    -- Of a call that a queue dialed the agent is the one who calls, and rings all the same.
    count(iif((p.PROLE <> 1 OR p.PARENTLINKTYPE IS 4) AND NOT /*it came from another call*/, 1, NULL)) AS RANG,
    count(iif((p.PROLE <> 1 OR p.PARENTLINKTYPE IS 4) AND NOT /*it came from another call*/ AND p.IS_ANSWERED, 1, NULL))
      AS ANSWERED,
    count(iif(p.PROLE = 1 AND p.PARENTLINKTYPE IS NOT 4, 1, NULL)) AS DIALED,
    count(iif(p.TERMINATED IS NULL, 1, NULL)) AS STILL_THERE,
    round(total(iif(p.TERMINATED IS NULL, NULL, p.RING_SECONDS)), 3) AS RING_SECONDS,
    round(total(iif(p.TERMINATED IS NULL, NULL, p.DIAL_SECONDS)), 3) AS DIAL_SECONDS,
    round(total(iif(p.TERMINATED IS NULL, NULL, p.TALK_SECONDS)), 3) AS TALK_SECONDS,
    round(total(iif(p.TERMINATED IS NULL, NULL, p.HOLD_SECONDS)), 3) AS HOLD_SECONDS
  FROM ICON_V_INTERVAL_15 i
  CROSS JOIN ICON_V_PARTY p ON p.CREATED_TS >= i.INTERVAL_TS AND p.CREATED_TS < i.INTERVAL_TS + 900
    AND p.SOURCE_CLUSTER = i.SOURCE_CLUSTER AND p.SWITCH_DBID = i.SWITCH_DBID
  WHERE p.TYPE = 1
    -- Queues are in ICON_V_QUEUE_15.
    AND NOT EXISTS (
      SELECT 1 FROM G_PARTY_HISTORY h
      WHERE h.PARTYID = p.PARTYID AND (h.PSEQ = 1 AND h.STATE = 5 OR h.STATE = 5 AND h.PREVSTATE = 6)
    )
  GROUP BY i.SOURCE_CLUSTER, i.SWITCH_DBID, p.DN, i.INTERVAL_TS
);
--> statement-breakpoint
-- One row is one virtual queue and one interval: what became of the calls that entered it within the interval, whenever
-- that was. ENTERED is the sum of DISTRIBUTED, ABANDONED, ENDED_OTHERWISE and STILL_THERE.
CREATE VIEW ICON_V_VIRTUAL_QUEUE_15 (
  SOURCE_CLUSTER,
  SWITCH_DBID,
  QUEUE, -- its DN
  INTERVAL_TS, -- filter on this: its beginning, UTC seconds
  INTERVAL_START, -- the same as text
  IS_COMPLETE, -- 1: every measure is the truth, also a 0
  INCOMPLETE_BECAUSE, -- why all measures are null; "call not seen": nobody saw how a stay of this interval began or ended
  ENTERED, -- stays that began: a call may wait in several virtual queues at a time
  DISTRIBUTED, -- sent to a target out of this queue
  ABANDONED,
  ENDED_OTHERWISE, -- distributed from another queue, taken out, or over with the call
  STILL_THERE, -- wait now: the other counts of this interval may rise
  DISTRIBUTED_SECONDS, -- total of what those distributed waited
  ABANDON_SECONDS,
  OTHER_SECONDS,
  LONGEST_SECONDS, -- of those that are over; null: none
  AVERAGE_DISTRIBUTED_SECONDS -- null where none was distributed
) AS
SELECT SOURCE_CLUSTER, SWITCH_DBID, C ->> 0, INTERVAL_TS, INTERVAL_START,
  WHY IS NULL, WHY,
  iif(WHY IS NULL, C ->> 2, NULL),
  iif(WHY IS NULL, C ->> 3, NULL),
  iif(WHY IS NULL, C ->> 4, NULL),
  iif(WHY IS NULL, C ->> 5, NULL),
  iif(WHY IS NULL, C ->> 6, NULL),
  iif(WHY IS NULL, C ->> 7, NULL),
  iif(WHY IS NULL, C ->> 8, NULL),
  iif(WHY IS NULL, C ->> 9, NULL),
  iif(WHY IS NULL, C ->> 10, NULL),
  iif(WHY IS NULL AND C ->> 3 > 0, round((C ->> 7) / (C ->> 3), 3), NULL)
FROM (
  SELECT i.SOURCE_CLUSTER, i.SWITCH_DBID, i.INTERVAL_TS, i.INTERVAL_START, j.value AS C,
    /*list of i.INCOMPLETE_BECAUSE; iif(j.value ->> 1 > 0, 'call not seen', NULL)*/ AS WHY
  FROM ICON_V_INTERVAL_15 i
  -- A list for each queue, as in ICON_V_QUEUE_15.
  CROSS JOIN json_each((
    SELECT json_group_array(json_array(QUEUE, NOT_SEEN, ENTERED, DISTRIBUTED, ABANDONED, OTHERWISE, WAITING,
      DISTRIBUTED_SECONDS, ABANDON_SECONDS, OTHER_SECONDS, LONGEST))
    FROM (
      SELECT QUEUE,
        count(iif(OUTCOME = 'not seen', 1, NULL)) AS NOT_SEEN,
        count(OUTCOME) AS ENTERED,
        count(iif(OUTCOME = 'distributed', 1, NULL)) AS DISTRIBUTED,
        count(iif(OUTCOME = 'abandoned', 1, NULL)) AS ABANDONED,
        count(iif(OUTCOME IN ('left', 'cleared'), 1, NULL)) AS OTHERWISE,
        count(iif(OUTCOME = 'waiting', 1, NULL)) AS WAITING,
        round(total(iif(OUTCOME = 'distributed', SECONDS, NULL)), 3) AS DISTRIBUTED_SECONDS,
        round(total(iif(OUTCOME = 'abandoned', SECONDS, NULL)), 3) AS ABANDON_SECONDS,
        round(total(iif(OUTCOME IN ('left', 'cleared'), SECONDS, NULL)), 3) AS OTHER_SECONDS,
        max(SECONDS) AS LONGEST
      FROM (
        SELECT s.QUEUE, s.OUTCOME, s.SECONDS
        FROM ICON_V_VIRTUAL_STAY s
        WHERE s.ENTERED_TS >= i.INTERVAL_TS AND s.ENTERED_TS < i.INTERVAL_TS + 900
          AND s.SOURCE_CLUSTER = i.SOURCE_CLUSTER AND s.SWITCH_DBID = i.SWITCH_DBID
        UNION ALL
        SELECT q.QUEUE, NULL, NULL
        FROM ICON_V_VIRTUAL_QUEUE q WHERE q.SOURCE_CLUSTER = i.SOURCE_CLUSTER AND q.SWITCH_DBID = i.SWITCH_DBID
      )
      GROUP BY QUEUE
    )
  )) j
);
