CREATE TABLE `ICON_DSS` (
	`DSS_ID` integer NOT NULL,
	`ICON_DBID` integer NOT NULL,
	`SOURCE` text NOT NULL,
	`ADDRESS` text,
	`SERVER` text,
	`RUN` text,
	`END_CAUSE` text,
	`END_DETAIL` text,
	`IS_END_SEEN` integer,
	`CLOCK_DIFFERENCE_MS` integer,
	`CLOCK_UNCERTAINTY_MS` integer,
	PRIMARY KEY(`DSS_ID`, `ICON_DBID`)
) STRICT;
