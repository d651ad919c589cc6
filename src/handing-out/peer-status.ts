// What stop-safe asks of the peer's status (GET /api/v1/status): whether it listens, and keeps up.

import { askInstanceJson, type InstanceAccess } from "../extraction/ask-instance.ts";
import { CopyError } from "../extraction/copy.ts";
import { plainClause } from "../extraction/plain-line.ts";
import { clauseOf } from "./ledgers.ts";

export interface PeerStatus {
  readonly instanceName: string;
  readonly state: string;
  readonly queueState: string;
  readonly idbState: string;
  /** Null: everything is applied. */
  readonly oldestNotAppliedAgeMs: number | null;
  readonly sources: readonly PeerSourceStatus[];
}

export interface PeerSourceStatus {
  readonly name: string;
  readonly state: string;
  /** Null where the source has none, or has not said it yet. */
  readonly run: string | null;
  readonly isHeldBack: boolean;
  readonly alarms: readonly string[];
}

// A report of a hundred sources with all their troubles is some hundred KiB.
const statusBytesMax = 8 * 1024 * 1024;

/** Or a clause that says why it cannot be read. */
export async function readPeerStatus(access: InstanceAccess): Promise<PeerStatus | { readonly trouble: string }> {
  const doing = `Cannot read the status of ${access.origin}`;
  try {
    const status = await askInstanceJson(access, "/api/v1/status", { doing, bytesMax: statusBytesMax });
    return peerStatusOf(status) ?? { trouble: "its status is none that this version knows" };
  } catch (error) {
    if (error instanceof CopyError) return { trouble: clauseOf(error, doing) };
    throw error;
  }
}

/** Null: it is none. */
function peerStatusOf(value: unknown): PeerStatus | null {
  const [instance, queue, idb, sources] = ["instance", "queue", "idb", "sources"].map((name) => member(value, name));
  const age = member(queue, "oldestNotAppliedAgeMs");
  const [instanceName, state, queueState, idbState] = [
    ...[member(instance, "name"), member(instance, "state"), member(queue, "state"), member(idb, "state")],
  ];
  const isRight =
    typeof instanceName === "string" &&
    typeof state === "string" &&
    typeof queueState === "string" &&
    typeof idbState === "string" &&
    (age === null || typeof age === "number") &&
    Array.isArray(sources);
  if (!isRight) return null;
  const known = sources.map(sourceOf).filter((each) => each !== null);
  if (known.length < sources.length) return null;
  return {
    instanceName: plainClause(instanceName),
    ...{ state: plainClause(state), queueState: plainClause(queueState), idbState: plainClause(idbState) },
    ...{ oldestNotAppliedAgeMs: age, sources: known },
  };
}

function sourceOf(value: unknown): PeerSourceStatus | null {
  const [name, state, run, isHeldBack, alarms] = ["name", "state", "run", "isHeldBack", "alarms"].map((each) =>
    member(value, each),
  );
  const isRight =
    typeof name === "string" &&
    typeof state === "string" &&
    (run === null || typeof run === "string") &&
    typeof isHeldBack === "boolean" &&
    Array.isArray(alarms);
  if (!isRight) return null;
  return { name, state, run, isHeldBack, alarms: alarms.map((each) => plainClause(String(member(each, "sentence")))) };
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
