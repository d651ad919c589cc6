-- Calls as a whole. They stand on ICON_V_CALL_OF_SOURCE, ICON_V_SOURCE and ICON_V_GAP (ledger.sql, extraction.sql) and on
-- ICON_V_PARTY (calls.sql).

-- One row is one call, also a consultation. What is not known is null: while it goes on, where an event of its time is
-- missing, or where nobody saw what became of one of its parties. Seconds are of DNs inside alone: whoever is outside is
-- not counted. OUTCOME is one of
--
-- - answered: a DN inside was connected; a call that goes out is answered when its other side is
-- - abandoned: the caller hung up before that
-- - busy, no answer, answering machine, fax, not reached: why a call that goes out came to nothing
-- - not answered: it came to nothing otherwise
-- - goes on
-- - not seen: it is not known
CREATE VIEW ICON_V_CALL (
  CALLID,
  SOURCE_CLUSTER,
  SWITCH_DBID,
  CALLTYPE, -- name of the type: inbound, outbound, internal, consult, unknown
  CALLANI,
  CALLDNIS,
  PARENTCALLID, -- of a consultation: the call that it came from
  MERGECALLID, -- the call that it went on in
  CREATED,
  CREATED_TS, -- filter on this: it has an index
  TERMINATED, -- null: it goes on
  SECONDS, -- from its beginning to its end
  IS_COMPLETE, -- 1: every measure is the truth, also a 0
  INCOMPLETE_BECAUSE, -- why measures are null; "call not seen": nobody saw how the call or one of its parties began or ended
  OUTCOME,
  QUEUES, -- DNs of the queues it waited in, in their order, as far as it was seen; null: none
  FIRST_DN, -- inside, that was connected first, as far as it was seen; of two at one moment the one whose row is older; null: none
  LAST_DN, -- that was connected last
  ANSWERED, -- when that first one was
  ANSWER_SECONDS, -- from the call's beginning to that
  QUEUE_SECONDS, -- waited in queues, in all
  RING_SECONDS, -- of all DNs inside
  TALK_SECONDS,
  HOLD_SECONDS,
  AFTER_CALL_SECONDS, -- agents' work that belongs to it; null: it goes on, or no agents are recorded
  HANDLE_SECONDS, -- talk, hold and after-call work
  TRANSFERS, -- G_CALL_STAT.CNT_TRANSFER
  CONFERENCES, -- G_CALL_STAT.CNT_CONFERENCE
  HOLDS, -- G_CALL_STAT.CNT_HOLD
  RELEASED_BY, -- DN or number that released it; null: the source does not say
  QUALITY -- words of ICON_ROW_QUALITY on the call; null: all of it was seen
) AS
WITH gap AS MATERIALIZED (SELECT SOURCE_CLUSTER, SWITCH_DBID, FROM_TS, UNTIL_TS, WHY FROM ICON_V_GAP),
  source AS MATERIALIZED (SELECT SOURCE_CLUSTER, SWITCH_DBID, KNOWN_FROM_TS, KNOWN_UNTIL_TS FROM ICON_V_SOURCE)
SELECT c.CALLID, c.SOURCE_CLUSTER, c.SWITCH_DBID,
  (SELECT d.NAME FROM G_DICTIONARY d WHERE d.DICT_TYPE_ID = 1000 AND d.DICT_VALUE_ID = c.CALLTYPE),
  c.CALLANI, c.CALLDNIS, c.PARENTCALLID, c.MERGECALLID, c.CREATED, c.CREATED_TS, c.TERMINATED,
  iif(w.value IS NULL, round(/*time of c.TERMINATED*/ - /*time of c.CREATED*/, 3), NULL),
  w.value IS NULL, w.value,
  CASE
    WHEN w.value = 'goes on' THEN w.value
    WHEN w.value IS NOT NULL THEN 'not seen'
    WHEN j.value ->> 9 IS NOT NULL THEN 'answered'
    WHEN j.value ->> 7 > 0 THEN 'abandoned'
    WHEN j.value ->> 8 = 6 THEN 'busy'
    WHEN j.value ->> 8 IN (7, 27) THEN 'no answer'
    WHEN j.value ->> 8 = 9 THEN 'answering machine'
    WHEN j.value ->> 8 = 17 THEN 'fax'
    WHEN j.value ->> 8 IN (8, 10, 11, 12, 13, 14, 15, 16) THEN 'not reached'
    ELSE 'not answered'
  END,
  j.value ->> 0, j.value ->> 9,
  iif(w.value IS NULL, j.value ->> 11, NULL),
  iif(w.value IS NULL, j.value ->> 10, NULL),
  iif(w.value IS NULL, round(/*time of j.value ->> 10*/ - /*time of c.CREATED*/, 3), NULL),
  iif(w.value IS NULL, j.value ->> 1, NULL),
  iif(w.value IS NULL, j.value ->> 2, NULL),
  iif(w.value IS NULL, j.value ->> 3, NULL),
  iif(w.value IS NULL, j.value ->> 4, NULL),
  iif(w.value IS NULL, j.value ->> 12, NULL),
  iif(w.value IS NULL, round((j.value ->> 3) + (j.value ->> 4) + (j.value ->> 12), 3), NULL),
  iif(w.value IS NULL, s.CNT_TRANSFER, NULL),
  iif(w.value IS NULL, s.CNT_CONFERENCE, NULL),
  iif(w.value IS NULL, s.CNT_HOLD, NULL),
  nullif(s.GSYS_EXT_VCH1, ''),
  j.value ->> 13
FROM ICON_V_CALL_OF_SOURCE c
LEFT JOIN G_CALL_STAT s ON s.ID = c.ID
-- What its parties came to, in one list, so that each is looked at once.
CROSS JOIN json_each((
  SELECT json_array(json_array(
    group_concat(iif(IS_QUEUE, DN, NULL), ', '),
    round(total(iif(IS_QUEUE, QUEUE_SECONDS, NULL)), 3),
    round(total(iif(IS_INSIDE AND NOT IS_QUEUE, RING_SECONDS, NULL)), 3),
    round(total(iif(IS_INSIDE AND NOT IS_QUEUE, TALK_SECONDS, NULL)), 3),
    round(total(iif(IS_INSIDE AND NOT IS_QUEUE, HOLD_SECONDS, NULL)), 3),
    count(iif(IS_INSIDE AND (TALK_SECONDS IS NULL OR HOLD_SECONDS IS NULL OR RING_SECONDS IS NULL), 1, NULL)),
    count(QUALITY),
    (SELECT count(*) FROM G_PARTY g WHERE g.CALLID = c.CALLID AND (g.CCEVENT = 59 OR g.CCEVENTCAUSE = 21)),
    (SELECT max(g.CCEVENTCAUSE) FROM G_PARTY g
     WHERE g.CALLID = c.CALLID AND g.TYPE = 1 AND (g.CCEVENTCAUSE BETWEEN 6 AND 17 OR g.CCEVENTCAUSE = 27)),
    (SELECT g.ENDPOINTDN FROM G_PARTY g JOIN G_PARTY_HISTORY h ON h.PARTYID = g.PARTYID AND h.STATE = 3
     WHERE g.CALLID = c.CALLID AND g.TYPE = 1
       AND NOT EXISTS (SELECT 1 FROM G_PARTY_HISTORY q WHERE q.PARTYID = g.PARTYID AND 5 IN (q.STATE, q.PREVSTATE))
     ORDER BY h.ADDED, g.ID LIMIT 1),
    (SELECT min(h.ADDED) FROM G_PARTY g JOIN G_PARTY_HISTORY h ON h.PARTYID = g.PARTYID AND h.STATE = 3
     WHERE g.CALLID = c.CALLID AND g.TYPE = 1
       AND NOT EXISTS (SELECT 1 FROM G_PARTY_HISTORY q WHERE q.PARTYID = g.PARTYID AND 5 IN (q.STATE, q.PREVSTATE))),
    (SELECT g.ENDPOINTDN FROM G_PARTY g JOIN G_PARTY_HISTORY h ON h.PARTYID = g.PARTYID AND h.STATE = 3
     WHERE g.CALLID = c.CALLID AND g.TYPE = 1
       AND NOT EXISTS (SELECT 1 FROM G_PARTY_HISTORY q WHERE q.PARTYID = g.PARTYID AND 5 IN (q.STATE, q.PREVSTATE))
     ORDER BY h.ADDED DESC, g.ID DESC LIMIT 1),
    /*after-call work where w.CALLID = c.CALLID*/,
    (SELECT group_concat(q.REASON, ', ') FROM ICON_ROW_QUALITY q WHERE q.ROW_KEY = c.CALLID)
  ))
  FROM (
    SELECT v.PARTYID, v.DN, v.CREATED, v.TYPE = 1 AS IS_INSIDE, v.QUEUE_SECONDS, v.RING_SECONDS, v.TALK_SECONDS,
      v.HOLD_SECONDS, v.QUALITY,
      EXISTS (SELECT 1 FROM G_PARTY_HISTORY h WHERE h.PARTYID = v.PARTYID AND 5 IN (h.STATE, h.PREVSTATE)) AS IS_QUEUE
    FROM ICON_V_PARTY v WHERE v.CALLID = c.CALLID
    ORDER BY v.CREATED, v.PARTYID -- of the names of queues
  )
)) j
-- Why it is not known, if it is not.
CROSS JOIN json_each((
  SELECT json_array(iif(c.TERMINATED IS NULL, 'goes on', /*list of
    (SELECT CASE WHEN c.CREATED_TS < k.KNOWN_FROM_TS THEN 'not listened yet'
                 WHEN c.TERMINATED_TS >= k.KNOWN_UNTIL_TS THEN 'not heard yet' END
     FROM source k WHERE k.SOURCE_CLUSTER = c.SOURCE_CLUSTER AND k.SWITCH_DBID = c.SWITCH_DBID);
    (SELECT group_concat(DISTINCT g.WHY) FROM gap g
     WHERE g.SOURCE_CLUSTER = c.SOURCE_CLUSTER AND g.SWITCH_DBID = c.SWITCH_DBID
       AND g.FROM_TS <= c.TERMINATED_TS AND g.UNTIL_TS > c.CREATED_TS);
    iif(j.value ->> 13 IS NOT NULL OR j.value ->> 6 > 0 OR j.value ->> 5 > 0, 'call not seen', NULL)*/))
)) w;
