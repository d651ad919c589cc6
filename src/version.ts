// The one place that knows which version this is; build.ts bakes package.json's number into the binary.

import { version } from "../package.json" with { type: "json" };

export const programVersion: string = version;
