-- Virtual queues: how each stay of a call in one went. They stand on ICON_V_VIRTUAL_STAY_OF_SOURCE (ledger.sql, extraction.sql).

-- One row is one stay of a call in a virtual queue. An extraction's output has those of the calls that it has: of a call
-- on a switch that nobody listens to there is none, and none is counted. OUTCOME is one of
--
-- - distributed: the call was sent to a target out of this queue
-- - abandoned: the caller hung up while he waited
-- - left: it was taken out of this queue, as of the others when it is distributed from one
-- - cleared: it ended with its call, and nobody said how
-- - waiting: it goes on
-- - not seen: nobody saw how it ended, or when it began
CREATE VIEW ICON_V_VIRTUAL_STAY (
  VQUEUEID,
  VQID, -- the routing server's own name of the stay
  CALLID, -- for one call alone ask G_VIRTUAL_QUEUE, where it has an index
  SOURCE_CLUSTER,
  SWITCH_DBID,
  QUEUE, -- DN of the virtual queue
  ENTERED,
  ENTERED_TS, -- filter on this: it has an index
  LEFT_QUEUE, -- null: it waits
  OUTCOME,
  SECONDS -- from entering to leaving; null while it waits
) AS
-- From name to name through IDX_G_VIRTUAL_QUEUE_ENDPOINTDN, so that a filter on ENTERED_TS goes through it as well.
WITH RECURSIVE dn (DN) AS (
  SELECT min(ENDPOINTDN) FROM G_VIRTUAL_QUEUE
  UNION ALL
  SELECT (SELECT min(ENDPOINTDN) FROM G_VIRTUAL_QUEUE WHERE ENDPOINTDN > dn.DN) FROM dn WHERE dn.DN IS NOT NULL
)
SELECT v.VQUEUEID, v.VQID, v.CALLID, v.SOURCE_CLUSTER, v.SWITCH_DBID, v.QUEUE, v.CREATED, v.CREATED_TS, v.TERMINATED,
  CASE
    WHEN EXISTS (
      SELECT 1 FROM ICON_ROW_QUALITY q
      WHERE q.ROW_KEY = v.VQUEUEID AND q.TABLE_NAME = 'G_VIRTUAL_QUEUE' AND q.REASON <> 'key is local'
    ) THEN 'not seen'
    WHEN v.TERMINATED IS NULL THEN 'waiting'
    WHEN v.DISTCALLID IS NOT NULL THEN 'distributed'
    WHEN v.CAUSE = 2 THEN 'abandoned'
    WHEN v.CAUSE = 1 THEN 'left'
    ELSE 'cleared'
  END,
  round(/*time of v.TERMINATED*/ - /*time of v.CREATED*/, 3)
FROM dn CROSS JOIN ICON_V_VIRTUAL_STAY_OF_SOURCE v ON v.QUEUE = dn.DN;
--> statement-breakpoint
-- One row is one virtual queue of a data source that a call has waited in.
CREATE VIEW ICON_V_VIRTUAL_QUEUE (
  SOURCE_CLUSTER,
  SWITCH_DBID,
  QUEUE -- its DN
) AS
WITH RECURSIVE dn (DN) AS (
  SELECT min(ENDPOINTDN) FROM G_VIRTUAL_QUEUE
  UNION ALL
  SELECT (SELECT min(ENDPOINTDN) FROM G_VIRTUAL_QUEUE WHERE ENDPOINTDN > dn.DN) FROM dn WHERE dn.DN IS NOT NULL
)
SELECT s.SOURCE_CLUSTER, s.SWITCH_DBID, dn.DN FROM ICON_V_SOURCE s JOIN dn
WHERE dn.DN IS NOT NULL AND EXISTS (
  SELECT 1 FROM ICON_V_VIRTUAL_STAY_OF_SOURCE v
  WHERE v.QUEUE = dn.DN AND v.SOURCE_CLUSTER = s.SOURCE_CLUSTER AND v.SWITCH_DBID = s.SWITCH_DBID
);
