// What stands as text in a row of ICON_WINDOW.

import type { Selected } from "../../schema/tables.ts";
import { windowFaults } from "../event/ledger-word.ts";

type Row = Pick<Selected<"ICON_WINDOW">, "FAULTS" | "HOLES">;

const none: readonly never[] = [];

/** The words of FAULTS. One that this program does not know, of a newer one, is among them. */
export function readFaults({ FAULTS }: Row): readonly string[] {
  if (FAULTS === null || FAULTS === "[]") return none;
  const parsed: unknown = parse(FAULTS);
  // What is no word may have been one that condemns.
  const isRead = Array.isArray(parsed) && parsed.every((each) => typeof each === "string");
  return isRead ? parsed : ["unreadable faults"];
}

/** Ranges of HOLES, both ends included. */
export function readHoles({ HOLES }: Row): readonly (readonly [from: number, to: number])[] {
  if (HOLES === null || HOLES === "[]") return none;
  const parsed: unknown = parse(HOLES);
  if (!Array.isArray(parsed)) return none;
  return parsed.filter(
    (each): each is [number, number] => Array.isArray(each) && each.length === 2 && each.every(Number.isFinite),
  );
}

/** Whether the word alone makes the window incomplete. A word that is not known here may mean anything: it does. */
export function isCondemning(fault: string): boolean {
  return Object.hasOwn(windowFaults, fault) ? windowFaults[fault as keyof typeof windowFaults].condemns : true;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
