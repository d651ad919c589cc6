CREATE TABLE `G_CALL` (
	`ID` integer PRIMARY KEY NOT NULL,
	`CALLID` text NOT NULL,
	`PARENTCALLID` text,
	`MERGECALLID` text,
	`MERGETYPE` integer,
	`CONNID` text,
	`CONNIDNUM` text,
	`SWITCHCALLID` integer,
	`IRID` text NOT NULL,
	`ROOTIRID` text,
	`MEDIATYPE` integer,
	`CALLTYPE` integer,
	`CALLANI` text,
	`CALLDNIS` text,
	`TENANTID` integer,
	`CREATED` text,
	`CREATED_TS` integer,
	`CREATED_TCODE` integer,
	`TERMINATED` text,
	`TERMINATED_TS` integer,
	`TERMINATED_TCODE` integer,
	`GSYS_DOMAIN` integer,
	`GSYS_PARTITION` integer,
	`GSYS_SYS_ID` integer,
	`GSYS_SEQ` integer,
	`GSYS_USEQ` integer,
	`GSYS_TS` text,
	`GSYS_TC` integer,
	`GSYS_EXT_VCH1` text,
	`GSYS_EXT_VCH2` text,
	`GSYS_EXT_INT1` integer,
	`GSYS_EXT_INT2` integer
) STRICT;
--> statement-breakpoint
CREATE INDEX `IDX_G_CALL_CALLID` ON `G_CALL` (`CALLID`);--> statement-breakpoint
CREATE INDEX `IDX_G_CALL_CREATED_TS` ON `G_CALL` (`CREATED_TS`);--> statement-breakpoint
CREATE TABLE `G_CALL_ACTIVE` (
	`ID` integer PRIMARY KEY NOT NULL,
	`CALLID` text NOT NULL,
	`PARENTCALLID` text,
	`MERGECALLID` text,
	`MERGETYPE` integer,
	`CONNID` text,
	`CONNIDNUM` text,
	`SWITCHCALLID` integer,
	`IRID` text NOT NULL,
	`ROOTIRID` text,
	`MEDIATYPE` integer,
	`CALLTYPE` integer,
	`CALLANI` text,
	`CALLDNIS` text,
	`TENANTID` integer,
	`CREATED` text,
	`CREATED_TS` integer,
	`CREATED_TCODE` integer,
	`GSYS_DOMAIN` integer,
	`GSYS_PARTITION` integer,
	`GSYS_SYS_ID` integer,
	`GSYS_SEQ` integer,
	`GSYS_USEQ` integer,
	`GSYS_TS` text,
	`GSYS_TC` integer,
	`GSYS_EXT_VCH1` text,
	`GSYS_EXT_VCH2` text,
	`GSYS_EXT_INT1` integer,
	`GSYS_EXT_INT2` integer
) STRICT;
--> statement-breakpoint
CREATE TABLE `G_CALL_HISTORY` (
	`CHID` integer PRIMARY KEY NOT NULL,
	`CALLID` text NOT NULL,
	`CSEQ` integer NOT NULL,
	`CHANGETYPE` integer,
	`REFID` text,
	`ADDED` text NOT NULL,
	`ADDED_TS` integer,
	`ADDED_TCODE` integer,
	`GSYS_DOMAIN` integer,
	`GSYS_PARTITION` integer,
	`GSYS_SYS_ID` integer,
	`GSYS_SEQ` integer,
	`GSYS_USEQ` integer,
	`GSYS_TS` text,
	`GSYS_TC` integer,
	`GSYS_EXT_VCH1` text,
	`GSYS_EXT_VCH2` text,
	`GSYS_EXT_INT1` integer,
	`GSYS_EXT_INT2` integer
) STRICT;
--> statement-breakpoint
CREATE INDEX `IDX_G_CALL_HISTORY_CALLID` ON `G_CALL_HISTORY` (`CALLID`);--> statement-breakpoint
CREATE TABLE `G_IR` (
	`ID` integer PRIMARY KEY NOT NULL,
	`IRID` text NOT NULL,
	`STATE` integer NOT NULL,
	`PARENTIRID` text,
	`PARENTLINKTYPE` integer,
	`ROOTCALLID` text NOT NULL,
	`CREATED` text,
	`CREATED_TS` integer,
	`CREATED_TCODE` integer,
	`TERMINATED` text,
	`TERMINATED_TS` integer,
	`TERMINATED_TCODE` integer,
	`GSYS_DOMAIN` integer,
	`GSYS_PARTITION` integer,
	`GSYS_SYS_ID` integer,
	`GSYS_SEQ` integer,
	`GSYS_USEQ` integer,
	`GSYS_TS` text,
	`GSYS_TC` integer,
	`GSYS_EXT_VCH1` text,
	`GSYS_EXT_VCH2` text,
	`GSYS_EXT_INT1` integer,
	`GSYS_EXT_INT2` integer
) STRICT;
--> statement-breakpoint
CREATE INDEX `IDX_G_IR_IRID` ON `G_IR` (`IRID`);--> statement-breakpoint
CREATE TABLE `G_IR_ACTIVE` (
	`ID` integer PRIMARY KEY NOT NULL,
	`IRID` text NOT NULL,
	`STATE` integer,
	`PARENTIRID` text,
	`PARENTLINKTYPE` integer,
	`ROOTCALLID` text,
	`CREATED` text,
	`CREATED_TS` integer,
	`CREATED_TCODE` integer,
	`GSYS_DOMAIN` integer,
	`GSYS_PARTITION` integer,
	`GSYS_SYS_ID` integer,
	`GSYS_SEQ` integer,
	`GSYS_USEQ` integer,
	`GSYS_TS` text,
	`GSYS_TC` integer,
	`GSYS_EXT_VCH1` text,
	`GSYS_EXT_VCH2` text,
	`GSYS_EXT_INT1` integer,
	`GSYS_EXT_INT2` integer
) STRICT;
--> statement-breakpoint
CREATE TABLE `G_IR_HISTORY` (
	`IRHID` integer PRIMARY KEY NOT NULL,
	`IRID` text NOT NULL,
	`XSEQ` integer,
	`CHANGETYPE` integer,
	`REFID` text,
	`ADDED` text NOT NULL,
	`ADDED_TS` integer,
	`ADDED_TCODE` integer,
	`GSYS_DOMAIN` integer,
	`GSYS_PARTITION` integer,
	`GSYS_SYS_ID` integer,
	`GSYS_SEQ` integer,
	`GSYS_USEQ` integer,
	`GSYS_TS` text,
	`GSYS_TC` integer,
	`GSYS_EXT_VCH1` text,
	`GSYS_EXT_VCH2` text,
	`GSYS_EXT_INT1` integer,
	`GSYS_EXT_INT2` integer
) STRICT;
--> statement-breakpoint
CREATE TABLE `G_PARTY` (
	`ID` integer PRIMARY KEY NOT NULL,
	`PARTYID` text NOT NULL,
	`PARTYGUID` text NOT NULL,
	`TYPE` integer NOT NULL,
	`PROLE` integer NOT NULL,
	`PARENTPARTYID` text,
	`PARENTLINKTYPE` integer,
	`CALLID` text NOT NULL,
	`STATE` integer NOT NULL,
	`PREVSTATE` integer,
	`ENDPOINTDN` text NOT NULL,
	`AGENTID` integer,
	`CCEVENT` integer,
	`CCEVENTCAUSE` integer,
	`CREATED` text,
	`CREATED_TS` integer,
	`CREATED_TCODE` integer,
	`TERMINATED` text,
	`TERMINATED_TS` integer,
	`TERMINATED_TCODE` integer,
	`GSYS_DOMAIN` integer,
	`GSYS_PARTITION` integer,
	`GSYS_SYS_ID` integer,
	`GSYS_SEQ` integer,
	`GSYS_USEQ` integer,
	`GSYS_TS` text,
	`GSYS_TC` integer,
	`GSYS_EXT_VCH1` text,
	`GSYS_EXT_VCH2` text,
	`GSYS_EXT_INT1` integer,
	`GSYS_EXT_INT2` integer
) STRICT;
--> statement-breakpoint
CREATE INDEX `IDX_G_PARTY_CALLID` ON `G_PARTY` (`CALLID`);--> statement-breakpoint
CREATE TABLE `G_PARTY_HISTORY` (
	`PHID` integer PRIMARY KEY NOT NULL,
	`PARTYID` text NOT NULL,
	`PSEQ` integer NOT NULL,
	`CSEQ` integer NOT NULL,
	`CHANGETYPE` integer,
	`CCEVENT` integer,
	`CCEVENTCAUSE` integer,
	`STATE` integer,
	`PREVSTATE` integer,
	`ADDED` text,
	`ADDED_TS` integer,
	`ADDED_TCODE` integer,
	`GSYS_DOMAIN` integer,
	`GSYS_PARTITION` integer,
	`GSYS_SYS_ID` integer,
	`GSYS_SEQ` integer,
	`GSYS_USEQ` integer,
	`GSYS_TS` text,
	`GSYS_TC` integer,
	`GSYS_EXT_VCH1` text,
	`GSYS_EXT_VCH2` text,
	`GSYS_EXT_INT1` integer,
	`GSYS_EXT_INT2` integer
) STRICT;
--> statement-breakpoint
CREATE INDEX `IDX_G_PARTY_HISTORY_PARTYID` ON `G_PARTY_HISTORY` (`PARTYID`);--> statement-breakpoint
CREATE TABLE `ICON_PARTY_CHANNEL` (
	`PARTYID` text NOT NULL,
	`UNIQUEID` text NOT NULL,
	`CHANNEL` text NOT NULL,
	PRIMARY KEY(`PARTYID`, `UNIQUEID`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `IDX_ICON_PARTY_CHANNEL_UNIQUEID` ON `ICON_PARTY_CHANNEL` (`UNIQUEID`);--> statement-breakpoint
CREATE TABLE `G_DSS_GCC_PROVIDER` (
	`DSS_ID` integer NOT NULL,
	`ICON_DBID` integer NOT NULL,
	`DS_DBID` integer,
	`DS_DBID_PRIM` integer,
	`DS2_DBID` integer,
	`DS_TYPE` integer,
	`ICON_STIME` text,
	`DSCONN_STIME` text,
	`DSCONN_SDSTIME` text,
	`DSCONN_SDSTS` integer,
	`DSCONN_TYPE` integer,
	`ICON_ETIME` text,
	`DSCONN_ETIME` text,
	`FEVENT_ITIME` text,
	`FEVENT_DSTIME` text,
	`FEVENT_DSSEQ` text,
	`FEVENT_DSTS` integer,
	`LEVENT_ITIME` text,
	`LEVENT_DSTIME` text,
	`LEVENT_DSSEQ` text,
	`LEVENT_DSTS` integer,
	PRIMARY KEY(`DSS_ID`, `ICON_DBID`)
) STRICT;
--> statement-breakpoint
CREATE TABLE `G_DICTIONARY` (
	`DICT_TYPE_ID` integer NOT NULL,
	`DICT_VALUE_ID` integer NOT NULL,
	`NAME` text NOT NULL,
	`DESCRIPTION` text,
	PRIMARY KEY(`DICT_TYPE_ID`, `DICT_VALUE_ID`)
) STRICT;
--> statement-breakpoint
CREATE TABLE `G_DICT_TYPE` (
	`DICT_TYPE_ID` integer PRIMARY KEY NOT NULL,
	`NAME` text NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `G_PROV_CONTROL` (
	`DOMAINID` integer NOT NULL,
	`PRIMARYID` integer NOT NULL,
	`PROVIDERTAG` integer NOT NULL,
	`SEQCOUNTER` integer,
	`SEQCURRENT` integer,
	`GSYS_DOMAIN` integer,
	`GSYS_PARTITION` integer,
	`GSYS_SYS_ID` integer,
	`GSYS_SEQ` integer,
	`GSYS_USEQ` integer,
	`GSYS_TS` text,
	`GSYS_TC` integer,
	`GSYS_EXT_VCH1` text,
	`GSYS_EXT_VCH2` text,
	`GSYS_EXT_INT1` integer,
	`GSYS_EXT_INT2` integer,
	PRIMARY KEY(`DOMAINID`, `PRIMARYID`, `PROVIDERTAG`)
) STRICT;
--> statement-breakpoint
CREATE TABLE `G_TIMECODE` (
	`ID` integer PRIMARY KEY NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `ICON_COUNTER` (
	`SOURCE` text NOT NULL,
	`NAME` text NOT NULL,
	`VALUE` integer NOT NULL,
	PRIMARY KEY(`SOURCE`, `NAME`)
) STRICT;
--> statement-breakpoint
CREATE TABLE `ICON_MARK` (
	`ID` integer PRIMARY KEY NOT NULL,
	`POSITION` integer NOT NULL,
	`ADDED` text NOT NULL,
	`SOURCE` text,
	`KIND` text NOT NULL,
	`DETAIL` text
) STRICT;
--> statement-breakpoint
CREATE TABLE `ICON_ROW_QUALITY` (
	`ID` integer PRIMARY KEY NOT NULL,
	`TABLE_NAME` text NOT NULL,
	`ROW_KEY` text NOT NULL,
	`REASON` text NOT NULL,
	`EARLIEST` text,
	`LATEST` text,
	`CAUSE` text,
	`SOURCE` text,
	`GSYS_DOMAIN` integer
) STRICT;
--> statement-breakpoint
CREATE INDEX `IDX_ICON_ROW_QUALITY_ROW_KEY` ON `ICON_ROW_QUALITY` (`ROW_KEY`);--> statement-breakpoint
CREATE TABLE `ICON_UNDECODED` (
	`ID` integer PRIMARY KEY NOT NULL,
	`POSITION` integer NOT NULL,
	`GSYS_DOMAIN` integer,
	`SOURCE` text,
	`ARRIVED` text NOT NULL,
	`REASON` text NOT NULL,
	`FRAME` blob,
	`IS_CUT` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `ICON_WINDOW` (
	`SOURCE_CLUSTER` integer NOT NULL,
	`RUN` text NOT NULL,
	`SWITCH_DBID` integer NOT NULL,
	`WINDOW_TS` integer NOT NULL,
	`EVENTS` integer NOT NULL,
	`FIRST_SEQ` integer,
	`LAST_SEQ` integer,
	`HOLES` text,
	`FAULTS` text,
	`VERSION` integer NOT NULL,
	PRIMARY KEY(`SOURCE_CLUSTER`, `RUN`, `SWITCH_DBID`, `WINDOW_TS`)
) STRICT;
--> statement-breakpoint
CREATE TABLE `ICON_APPLIED` (
	`ID` integer PRIMARY KEY NOT NULL,
	`IDB_ID` text NOT NULL,
	`QUEUE_ID` text,
	`SEGMENT_SALT` integer,
	`POSITION` integer NOT NULL,
	`ROW_SEQ` integer NOT NULL,
	`COMMITS` integer NOT NULL,
	`WINDOW_SECONDS` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `ICON_LIVE` (
	`KIND` text NOT NULL,
	`KEY` text NOT NULL,
	`VERSION` integer NOT NULL,
	`DATA` text NOT NULL,
	PRIMARY KEY(`KIND`, `KEY`)
) STRICT;
--> statement-breakpoint
CREATE TABLE `ICON_MIGRATION` (
	`VERSION` integer PRIMARY KEY NOT NULL,
	`NAME` text NOT NULL,
	`APPLIED_AT` text NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `ICON_SCHEMA_ORIGIN` (
	`KIND` text NOT NULL,
	`NAME` text NOT NULL,
	`ORIGIN` text NOT NULL,
	`IS_JOINED` integer NOT NULL,
	`NOTE` text,
	PRIMARY KEY(`KIND`, `NAME`)
) STRICT;
