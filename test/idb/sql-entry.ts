// The sql command alone, as a program: what the tests of `icon sql` start.

import { Command } from "commander";
import { sqlCommand } from "../../src/commands/sql.ts";

await new Command("icon").addCommand(sqlCommand()).parseAsync();
