// For `bunx drizzle-kit generate`, which writes the next migration from the difference between schema/ and the last one.
// The program never reads this file.

import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: [
    "./schema/call.ts",
    "./schema/interaction.ts",
    "./schema/party.ts",
    "./schema/statistics.ts",
    "./schema/agent.ts",
    "./schema/user-data.ts",
    "./schema/virtual-queue.ts",
    "./schema/multi-site.ts",
    "./schema/session.ts",
    "./schema/control.ts",
    "./schema/ledger.ts",
    "./schema/book.ts",
  ],
  out: "./schema/migrations",
});
