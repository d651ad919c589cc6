// States of a site's own (G_CUSTOM_STATES) as an IDB has them, held against what agents' desktops told in a simulation.

import type { SessionStory } from "../../src/simulator/tserver/call-detail.ts";
import type { CallStory } from "../../src/simulator/tserver/truth.ts";
import { type RowsOf, readIdbRows } from "./agent-rows.ts";
import { readCallStories, readSessionStories } from "./voice-truth.ts";

const code = 200;

/** Lines of [callconcentrator] and what follows it: of what the simulated desktops tell. */
export const customStatesConfig: readonly string[] = [
  "[custom-states]",
  `AgentRecordUserTypes = "${code},Reading"`,
  'AgentUserFields = "int,STEP,Step"',
];

export function compareCustomStates(
  idbPath: string,
  truthPath: string,
): { readonly states: number; readonly differences: readonly string[] } {
  const real = readSessionStories(truthPath).flatMap(statesOf);
  const calls = readCallStories(truthPath);
  const { ours, misplaced } = readIdbRows(idbPath, (rows) => ({
    ours: rows("G_CUSTOM_STATES").map((row) => textOf(rows, row)),
    misplaced: rows("G_CUSTOM_STATES").filter((row) => !isOnTheCall(rows, row, calls)),
  }));
  return {
    states: real.length,
    differences: [
      ...real.filter((each) => !ours.includes(each)).map((each) => `missing: ${each}`),
      ...ours
        .filter((each, index) => !real.includes(each) || ours.indexOf(each) !== index)
        .map((each) => `wrong: ${each}`),
      ...misplaced.map(({ ENDPOINTDN, CREATED, CALLID }) => `${ENDPOINTDN} was not on ${CALLID} at ${CREATED}`),
    ],
  };
}

interface State {
  readonly agent: string;
  readonly session: number;
  readonly dn: string;
  readonly step: string;
  readonly from: number;
  readonly to: number | null;
}

function stateText({ agent, session, dn, step, from, to }: State): string {
  const until = to === null ? "…" : Math.floor(to);
  return `${agent} from ${Math.floor(session)} at ${dn}: ${Math.floor(from)}–${until}, step ${step}`;
}

function statesOf(session: SessionStory): string[] {
  const { agentId: agent, dn, loggedInAt, loggedOutAt, userEvents } = session;
  return userEvents.flatMap(({ at, userData }, index) => {
    if (userData["Reading"] !== "+") return [];
    // The next one ends it, and says the step last.
    const end = userEvents[index + 1];
    const step = String((end ?? { userData }).userData["Step"]);
    return [stateText({ agent, dn, session: loggedInAt, step, from: at, to: end?.at ?? loggedOutAt })];
  });
}

type Row = ReturnType<RowsOf>[number];

function textOf(rows: RowsOf, row: Row): string {
  const session = rows("G_LOGIN_SESSION").find(({ LOGINSESSIONID: id }) => id === row["LOGINSESSIONID"]);
  const time = (value: unknown) => Date.parse(String(value));
  const fields = JSON.parse(String(row["FIELDS"] ?? "{}"));
  if (row["STATE"] !== code) return `state ${row["STATE"]} of nobody`;
  return stateText({
    ...{ agent: String(session?.["AGENTLOGIN"]), session: time(session?.["CREATED"]), dn: String(row["ENDPOINTDN"]) },
    ...{ step: String(fields["STEP"]), from: time(row["CREATED"]) },
    to: row["TERMINATED"] == null ? null : time(row["TERMINATED"]),
  });
}

/** The desktop tells it of a conversation: the row names the DN's party of that time. */
function isOnTheCall(rows: RowsOf, row: Row, calls: readonly CallStory[]): boolean {
  const connId = rows("G_CALL").find(({ CALLID }) => CALLID === row["CALLID"])?.["CONNID"];
  const guid = rows("G_PARTY").find(({ PARTYID }) => PARTYID === row["PARTYID"])?.["PARTYGUID"];
  const at = Date.parse(String(row["CREATED"]));
  return calls.some(
    (call) =>
      call.connId === connId &&
      call.parties.some(
        ({ dn, partyUuid, states, endedAt }) =>
          dn === row["ENDPOINTDN"] &&
          partyUuid === guid &&
          (states[0]?.from ?? 0) <= at + 1 &&
          (endedAt === null || endedAt >= at),
      ),
  );
}
