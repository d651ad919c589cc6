-- Calls as reports ask for them: how long each party rang, talked and was on hold, and how each stay in a queue went. They
-- stand on ICON_V_PARTY_OF_SOURCE (ledger.sql, extraction.sql).
--
-- 1. Filters on CALLID, CREATED_TS and ENTERED_TS go through indexes; those on anything else look at every party.
-- 2. A time of a state is known when the party's history is whole and it has left the state; else it is null.

-- One row is one party's stay on a call, with the seconds that it spent in each state.
CREATE VIEW ICON_V_PARTY (
  PARTYID,
  CALLID,
  SOURCE_CLUSTER,
  SWITCH_DBID,
  DN, -- G_PARTY.ENDPOINTDN
  TYPE, -- 1 internal, 2 external; class 9 of G_DICTIONARY
  PROLE, -- 1 origination, 2 destination; class 10
  PARENTPARTYID,
  PARENTLINKTYPE, -- 1 transferred, 2 conferenced, 4 from a queue; class 11
  CREATED,
  CREATED_TS, -- filter on this: it has an index
  TERMINATED, -- null: it goes on
  TERMINATED_TS,
  IS_ANSWERED, -- 1: it was connected at some time
  DIAL_SECONDS,
  RING_SECONDS,
  TALK_SECONDS, -- connected, without hold; null while it is connected
  HOLD_SECONDS,
  QUEUE_SECONDS,
  QUALITY -- words of ICON_ROW_QUALITY: what of it nobody saw; null: all was seen
) AS
SELECT p.PARTYID, p.CALLID, p.SOURCE_CLUSTER, p.SWITCH_DBID, p.DN, p.TYPE, p.PROLE, p.PARENTPARTYID, p.PARENTLINKTYPE,
  p.CREATED, p.CREATED_TS, p.TERMINATED, p.TERMINATED_TS,
  EXISTS (SELECT 1 FROM G_PARTY_HISTORY h WHERE h.PARTYID = p.PARTYID AND 3 IN (h.STATE, h.PREVSTATE)),
  /*seconds of 6 in p*/,
  /*seconds of 2 in p*/,
  /*seconds of 3 in p*/,
  /*seconds of 4 in p*/,
  /*seconds of 5 in p*/,
  (SELECT group_concat(q.REASON, ', ') FROM ICON_ROW_QUALITY q WHERE q.ROW_KEY = p.PARTYID)
FROM ICON_V_PARTY_OF_SOURCE p;
--> statement-breakpoint
-- One row is one stay of a call in a queue: an ACD queue, a routing point, a queue of Asterisk. A stay is a party that was
-- in the state queued; stays in virtual queues are no parties and stand in G_VIRTUAL_QUEUE. OUTCOME is one of
--
-- - answered: a party that was reached from this stay was connected; also where it had to be reached from several
-- - abandoned: the caller hung up while he waited
-- - abandoned ringing: the call had left the queue for a DN, and the caller hung up while that rang
-- - passed on: it left the queue otherwise: overflow, time-out, another queue, or to somebody of whom no event tells
-- - cleared: the stay ended with the call, or was released
-- - waiting, ringing: it goes on
-- - not seen: nobody saw how it ended, or when it began
CREATE VIEW ICON_V_QUEUE_STAY (
  PARTYID, -- of the stay
  CALLID,
  SOURCE_CLUSTER,
  SWITCH_DBID,
  QUEUE, -- DN of the queue
  ENTERED, -- of a call that was dialed from the queue: when it was answered out there
  ENTERED_TS, -- filter on this: it has an index; of a call that was dialed from the queue: when that began
  LEFT_QUEUE, -- when it left the queue; null: it waits
  OUTCOME,
  ANSWERED, -- when whoever was reached from it was connected first
  ANSWER_SECONDS, -- from entering to that; null unless answered
  QUEUE_SECONDS, -- from entering to leaving; null while it waits
  ANSWERED_BY, -- DN that was connected first
  ANSWERED_BY_PARTYID,
  TALK_SECONDS, -- of that party; null until it has ended
  HOLD_SECONDS,
  HANDLE_SECONDS, -- talk and hold
  AFTER_CALL_SECONDS -- work of that party's agent that belongs to the call; null: it goes on, or no agents are recorded
) AS
SELECT p.PARTYID, p.CALLID, p.SOURCE_CLUSTER, p.SWITCH_DBID, p.DN, /*when it came to wait*/, p.CREATED_TS, o.ADDED,
  CASE
    WHEN EXISTS (SELECT 1 FROM ICON_ROW_QUALITY q WHERE q.ROW_KEY = p.PARTYID AND q.REASON = 'beginning not seen')
      THEN 'not seen'
    WHEN t.PHID IS NOT NULL THEN 'answered'
    WHEN o.PHID IS NULL AND p.TERMINATED IS NULL THEN 'waiting'
    WHEN o.PHID IS NULL OR o.CCEVENT IS NULL OR o.CCEVENT = 0 OR EXISTS (
      SELECT 1 FROM ICON_ROW_QUALITY q
      WHERE q.ROW_KEY = p.PARTYID AND q.REASON IN ('end not seen', 'change not seen', 'earlier rows not kept')
    ) THEN 'not seen'
    WHEN o.CCEVENT = 59 THEN 'abandoned'
    WHEN o.STATE = 2 AND p.TERMINATED IS NULL THEN 'ringing'
    WHEN o.STATE = 2 AND p.CCEVENT = 59 THEN 'abandoned ringing'
    WHEN o.CCEVENT <> 58 THEN 'cleared'
    WHEN EXISTS (
      SELECT 1 FROM G_PARTY r
      WHERE r.CALLID = p.CALLID AND r.PARENTPARTYID = p.PARTYID AND r.PARENTLINKTYPE = 4 AND r.STATE = 2
    ) THEN 'ringing'
    -- Whoever still rang when the call overflowed was let go with it: no caller hung up.
    WHEN o.CCEVENTCAUSE IS NOT 20 AND EXISTS (
      SELECT 1 FROM G_PARTY r
      WHERE r.CALLID = p.CALLID AND r.PARENTPARTYID = p.PARTYID AND r.PARENTLINKTYPE = 4 AND r.TERMINATED > o.ADDED
        AND (r.CCEVENT = 59 OR r.CCEVENTCAUSE = 21)
    ) THEN 'abandoned ringing'
    ELSE 'passed on'
  END,
  t.ADDED,
  round(/*time of t.ADDED*/ - /*time of /*when it came to wait*/*/, 3),
  round(/*time of o.ADDED*/ - /*time of /*when it came to wait*/*/, 3),
  iif(t.PHID IS NULL, NULL, coalesce(a.ENDPOINTDN, p.DN)),
  t.PARTYID,
  /*seconds of 3 in t*/,
  /*seconds of 4 in t*/,
  /*seconds of 3 in t*/ + /*seconds of 4 in t*/,
  iif(t.PARTYID IS NULL, NULL, /*after-call work where w.CALLID = p.CALLID AND w.PARTYID = t.PARTYID*/)
FROM ICON_V_PARTY_OF_SOURCE p
-- How it left the queue.
LEFT JOIN G_PARTY_HISTORY o ON o.PHID = (
  SELECT h.PHID FROM G_PARTY_HISTORY h
  WHERE h.PARTYID = p.PARTYID AND h.PREVSTATE = 5 AND h.STATE <> 5 ORDER BY h.PSEQ DESC LIMIT 1
)
-- Who answered it: the first of those reached from it who was connected.
LEFT JOIN G_PARTY a ON a.ID = (
  SELECT r.ID FROM G_PARTY r
  WHERE r.CALLID = p.CALLID AND r.PARENTPARTYID = p.PARTYID AND r.PARENTLINKTYPE = 4
    AND EXISTS (SELECT 1 FROM G_PARTY_HISTORY h WHERE h.PARTYID = r.PARTYID AND h.STATE = 3)
  ORDER BY r.ID LIMIT 1
)
-- On some switches the waiting party itself goes on to talk.
LEFT JOIN G_PARTY_HISTORY t ON t.PHID = (
  SELECT h.PHID FROM G_PARTY_HISTORY h
  WHERE h.PARTYID = coalesce(a.PARTYID, p.PARTYID) AND h.STATE = 3 ORDER BY h.PSEQ LIMIT 1
)
WHERE p.STATE = 5
  OR EXISTS (SELECT 1 FROM G_PARTY_HISTORY h WHERE h.PARTYID = p.PARTYID AND 5 IN (h.STATE, h.PREVSTATE));
--> statement-breakpoint
-- One row is one queue of a data source that a call has waited in.
CREATE VIEW ICON_V_QUEUE (
  SOURCE_CLUSTER,
  SWITCH_DBID,
  QUEUE -- its DN
) AS
-- From name to name through IDX_G_PARTY_QUEUE, so that the stays need not be looked at.
WITH RECURSIVE dn (DN) AS (
  SELECT min(ENDPOINTDN) FROM G_PARTY WHERE PREVSTATE = 5
  UNION ALL
  SELECT (SELECT min(ENDPOINTDN) FROM G_PARTY WHERE PREVSTATE = 5 AND ENDPOINTDN > dn.DN) FROM dn WHERE dn.DN IS NOT NULL
)
SELECT s.SOURCE_CLUSTER, s.SWITCH_DBID, dn.DN FROM ICON_V_SOURCE s JOIN dn
WHERE dn.DN IS NOT NULL AND EXISTS (
  SELECT 1 FROM G_DSS_GCC_PROVIDER d CROSS JOIN G_PARTY p ON p.GSYS_DOMAIN = d.DSS_ID
  WHERE coalesce(d.DS_DBID_PRIM, d.DS_DBID) = s.SOURCE_CLUSTER AND d.DS2_DBID = s.SWITCH_DBID
    AND p.PREVSTATE = 5 AND p.ENDPOINTDN = dn.DN
);
--> statement-breakpoint
-- One row is one call that goes on, as far as the IDB has come.
CREATE VIEW ICON_V_OPEN_CALL (
  CALLID,
  SOURCE_CLUSTER,
  SWITCH_DBID,
  CALLTYPE, -- name of the type: inbound, outbound, internal, consult, unknown
  CALLANI,
  CALLDNIS,
  CREATED,
  CREATED_TS,
  SECONDS, -- up to the last word of its data source
  WAITING_IN, -- DNs of the queues it waits in, null: none
  RINGING_AT, -- DNs that ring
  TALKING -- DNs that are connected or on hold
) AS
SELECT c.CALLID, x.SOURCE_CLUSTER, x.SWITCH_DBID,
  (SELECT d.NAME FROM G_DICTIONARY d WHERE d.DICT_TYPE_ID = 1000 AND d.DICT_VALUE_ID = c.CALLTYPE),
  c.CALLANI, c.CALLDNIS, c.CREATED, c.CREATED_TS,
  max(0, x.HEARD_UNTIL_TS - c.CREATED_TS),
  (SELECT group_concat(p.ENDPOINTDN, ', ') FROM G_PARTY p WHERE p.CALLID = c.CALLID AND p.STATE = 5),
  (SELECT group_concat(p.ENDPOINTDN, ', ') FROM G_PARTY p WHERE p.CALLID = c.CALLID AND p.STATE = 2 AND p.TYPE = 1),
  (SELECT group_concat(p.ENDPOINTDN, ', ') FROM G_PARTY p WHERE p.CALLID = c.CALLID AND p.STATE IN (3, 4) AND p.TYPE = 1)
FROM G_CALL_ACTIVE c
LEFT JOIN ICON_V_SOURCE x ON (x.SOURCE_CLUSTER, x.SWITCH_DBID) = (
  SELECT p.SOURCE_CLUSTER, p.SWITCH_DBID FROM ICON_V_PARTY_OF_SOURCE p WHERE p.CALLID = c.CALLID LIMIT 1
);
