// What the makers and the readers of golden data directories must agree on.

import { join } from "node:path";

export const goldenDirectory = join(import.meta.dir, "../fixture/upgrade/0.1.0");
export const goldenNames = ["stopped", "killed", "backlog"] as const;
export type GoldenName = (typeof goldenNames)[number];
/** Of the load: its lines are a function of this, of the run and of their numbers. */
export const goldenSeed = 20_26;

export interface GoldenStory {
  readonly run: string;
  readonly producedSeq: number;
  readonly ackedSeq: number;
}
