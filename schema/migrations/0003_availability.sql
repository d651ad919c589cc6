CREATE TABLE `G_SYNC_CONTROL` (
	`DOMAINID` integer NOT NULL,
	`PRIMARYID` integer NOT NULL,
	`PROVIDERTAG` integer NOT NULL,
	`CLUSTERID` integer NOT NULL,
	`PROVIDERID` integer NOT NULL,
	`EVENTTIMESEC` integer,
	`EVENTTIMEUSEC` integer,
	`SESSIONID` text,
	`EVENTID` text,
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
	PRIMARY KEY(`DOMAINID`, `PRIMARYID`, `PROVIDERTAG`, `CLUSTERID`)
) STRICT;
--> statement-breakpoint
CREATE TABLE `ICON_COVERAGE` (
	`ID` integer PRIMARY KEY NOT NULL,
	`SOURCE` text NOT NULL,
	`SOURCE_CLUSTER` integer NOT NULL,
	`SWITCH_DBID` integer NOT NULL,
	`RUN` text NOT NULL,
	`FROM_TIME` text,
	`FROM_SEQ` integer,
	`UNTIL_TIME` text,
	`UNTIL_SEQ` integer,
	`LATENESS_MS` integer NOT NULL,
	`BEGAN_BECAUSE` text NOT NULL,
	`ENDED_BECAUSE` text,
	`GSYS_DOMAIN` integer,
	`VERSION` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX `IDX_ICON_COVERAGE_UNTIL_TIME` ON `ICON_COVERAGE` (`UNTIL_TIME`);--> statement-breakpoint
ALTER TABLE `ICON_WINDOW` ADD `DIGEST` text;--> statement-breakpoint
ALTER TABLE `ICON_WINDOW` ADD `IS_SEALED` integer;--> statement-breakpoint
CREATE INDEX `IDX_ICON_WINDOW_WINDOW_TS` ON `ICON_WINDOW` (`WINDOW_TS`);--> statement-breakpoint
CREATE INDEX `IDX_ICON_WINDOW_VERSION` ON `ICON_WINDOW` (`VERSION`);