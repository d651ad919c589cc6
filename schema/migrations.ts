// The steps from an empty file to the present schema, in order. A step that was shipped is never changed: an IDB that
// has it would differ from one that gets it tomorrow. `bunx drizzle-kit generate --name NAME` writes the next one; add
// STRICT to each table that it creates (drizzle has no word for it) and list it here.

import first from "./migrations/0000_first.sql" with { type: "text" };
import configuration from "./migrations/0001_configuration.sql" with { type: "text" };
import sessionEnds from "./migrations/0002_session_ends.sql" with { type: "text" };
import availability from "./migrations/0003_availability.sql" with { type: "text" };
import goingOn from "./migrations/0004_going_on.sql" with { type: "text" };
import sessionHeard from "./migrations/0005_session_heard.sql" with { type: "text" };
import voiceInFull from "./migrations/0006_voice_in_full.sql" with { type: "text" };
import reporting from "./migrations/0007_reporting.sql" with { type: "text" };
import afterCallWork from "./migrations/0008_after_call_work.sql" with { type: "text" };

export interface Migration {
  /** Counts from 1; ICON_MIGRATION.VERSION. */
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

export const migrations: readonly Migration[] = [
  { version: 1, name: "first", sql: first },
  { version: 2, name: "configuration", sql: configuration },
  { version: 3, name: "session ends", sql: sessionEnds },
  { version: 4, name: "availability", sql: availability },
  { version: 5, name: "going on", sql: goingOn },
  { version: 6, name: "session heard", sql: sessionHeard },
  { version: 7, name: "voice in full", sql: voiceInFull },
  { version: 8, name: "reporting", sql: reporting },
  { version: 9, name: "after-call work", sql: afterCallWork },
];

/** PRAGMA application_id of every IDB, "ICON" in ASCII: tells our files from other programs' SQLite files. */
export const applicationId = 0x49434f4e;
