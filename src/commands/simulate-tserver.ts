// `icon simulate tserver`: the server side of link.md with a seeded contact centre, for demonstrations and tests.

import { Command, InvalidArgumentError, Option } from "commander";
import { type TserverOptions, tserverDefaults } from "../simulator/tserver/options.ts";
import type { SecondsRange } from "../simulator/tserver/outage.ts";
import { startSimulatedTserver } from "../simulator/tserver/simulated-tserver.ts";

/** The command `tserver`, to be put below `simulate`. Prints where it listens as the first line, a summary as the last. */
export function simulateTserverCommand(): Command {
  const defaults = tserverDefaults;
  return new Command("tserver")
    .description("simulates a T-Server and its contact centre on the T-Event link; the same seed gives the same events")
    .helpOption("--help", "show these options")
    .option("--listen <host:port>", "where to listen; port 0 lets the system choose", defaults.listen)
    .option("--seed <number>", "what everything that happens comes from", wholeFrom(0), defaults.seed)
    .option("--start-time <time>", "startTime of the first server run, ISO 8601 (default: now)", instantText)
    .option("--rate <events>", "events a second to aim at", positive, defaults.rate)
    .addOption(new Option("--calls-per-second <calls>", "instead of --rate").argParser(positive))
    .option("--seconds <seconds>", "how long the centre works (default: until stopped)", positive)
    .option("--events <count>", "ends with the happening in which so many events are reached", wholeFrom(1))
    .option(
      "--linger <seconds>",
      "source time that passes with heartbeats after the end",
      notNegative,
      defaults.lingerSeconds,
    )
    .option("--clock-speed <factor>", "source time runs so many times faster than real", positive, defaults.clockSpeed)
    .option("--as-fast-as-possible", "no waiting but for clients that read slowly", false)
    .option("--resend-buffer <events>", "how many events can be sent again", wholeFrom(0), defaults.resendEvents)
    .option("--heartbeat-ms <milliseconds>", "between heartbeats", wholeFrom(1), defaults.heartbeatMs)
    .option("--cut-every <seconds[-seconds]>", "cut all connections at such distances", secondsRange)
    .addOption(
      new Option("--cut-for <seconds[-seconds]>", "how long connections are then refused")
        .argParser(secondsRange)
        .default(defaults.cutFor, `${defaults.cutFor.min}-${defaults.cutFor.max}`),
    )
    .option(
      "--cut-settle-ms <milliseconds>",
      "wait so long for acknowledgements before each cut, so that it is known what had arrived",
      wholeFrom(0),
      defaults.cutSettleMs,
    )
    .option("--restart-at <seconds,…>", "restart the server at these moments", secondsList, [])
    .option("--restart-keeps-calls", "calls live on when the server restarts", false)
    .option("--gap-at <seconds,…>", "cut, and forget what could be sent again, at these moments", secondsList, [])
    .option("--dbid <dbid>", "of the server", wholeFrom(1), defaults.dbid)
    .option("--primary-dbid <dbid>", "of the pair's primary server (default: --dbid)", wholeFrom(1))
    .option("--switch-dbid <dbid>", "of the switch", wholeFrom(1), defaults.switchDbid)
    .option("--server-name <name>", "of the server", defaults.serverName)
    .option("--token <token>", "clients must show it")
    .option("--tls-cert <file>", "serve TLS with this certificate, PEM")
    .option("--tls-key <file>", "its private key, PEM")
    .option("--tls-client-ca <file>", "clients must show a certificate of this authority, PEM")
    .addOption(
      new Option("--role <role>", "of the server in its pair").choices(["primary", "backup"]).default("primary"),
    )
    .option(
      "--truth <file>",
      "write every call as it really was here, and every event to <file>.events.ndjson, and more with --voice-in-full",
    )
    .option("--observable <file>", "write what each client could know to <file>-<client>.ndjson")
    .option("--party-uuid", "events carry PartyUUID (default)")
    .option("--no-party-uuid", "events carry no PartyUUID")
    .option("--call-uuid", "events carry CallUUID (default)")
    .option("--no-call-uuid", "events carry no CallUUID")
    .option("--call-monitoring", "tell EventCallCreated and EventCallDeleted (default, unless --no-call-uuid)")
    .option("--no-call-monitoring", "tell no EventCallCreated and EventCallDeleted")
    .option("--plain", "every event in the usual encoding", false)
    .option("--agents <count>", "agents of the centre (default: as many as the rate asks for)", wholeFrom(1))
    .option("--queues <count>", "ACD queues of the centre", wholeFrom(1), defaults.queues)
    .option("--talk-seconds <seconds>", "mean talk, in source time", positive, defaults.talkSeconds)
    .option(
      "--transfer-percent <share>",
      "answered calls that are transferred or conferenced, of a hundred",
      percent,
      defaults.transferPercent,
    )
    .option(
      "--voice-in-full",
      "agents log in and out, routing points, virtual queues, attached data that changes, predictive calls, members outside",
      false,
    )
    .option(
      "--sites <here,other,elsewhere>",
      "calls go between this switch and the other one, whose server is given the same --sites-seed and --start-time; " +
        "some go to one that nobody records",
      siteNames,
    )
    .option("--sites-seed <number>", "which calls go between the sites", wholeFrom(0), 1)
    .option("--clients-min <count>", "begin when so many clients are served", wholeFrom(0), defaults.clientsMin)
    .action(simulate);
}

interface Given {
  readonly listen: string;
  readonly seed: number;
  readonly startTime?: string;
  readonly rate: number;
  readonly callsPerSecond?: number;
  readonly seconds?: number;
  readonly events?: number;
  readonly linger: number;
  readonly clockSpeed: number;
  readonly asFastAsPossible: boolean;
  readonly resendBuffer: number;
  readonly heartbeatMs: number;
  readonly cutEvery?: SecondsRange;
  readonly cutFor: SecondsRange;
  readonly cutSettleMs: number;
  readonly restartAt: readonly number[];
  readonly restartKeepsCalls: boolean;
  readonly gapAt: readonly number[];
  readonly dbid: number;
  readonly primaryDbid?: number;
  readonly switchDbid: number;
  readonly serverName: string;
  readonly token?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsClientCa?: string;
  readonly role: "primary" | "backup";
  readonly truth?: string;
  readonly observable?: string;
  readonly partyUuid?: boolean;
  readonly callUuid?: boolean;
  readonly callMonitoring?: boolean;
  readonly plain: boolean;
  readonly agents?: number;
  readonly queues: number;
  readonly talkSeconds: number;
  readonly transferPercent: number;
  readonly voiceInFull: boolean;
  readonly sites?: readonly [here: string, other: string, elsewhere: string];
  readonly sitesSeed: number;
  readonly clientsMin: number;
}

async function simulate(given: Given, command: Command): Promise<void> {
  if ((given.tlsCert === undefined) !== (given.tlsKey === undefined)) {
    command.error("error: --tls-cert and --tls-key belong together: expected both or neither");
  }
  if (given.tlsClientCa !== undefined && given.tlsCert === undefined) {
    command.error("error: --tls-client-ca is for TLS: expected --tls-cert and --tls-key with it");
  }
  if (given.sites !== undefined && (given.startTime === undefined || given.callMonitoring === false)) {
    command.error("error: --sites needs --start-time, the same at both servers, and call monitoring");
  }
  const server = await startSimulatedTserver(asOptions(given));
  process.once("SIGTERM", () => server.stop());
  process.once("SIGINT", () => server.stop());
  process.stdout.write(`${JSON.stringify({ listening: server.address })}\n`);
  process.stdout.write(`${JSON.stringify(await server.finished)}\n`);
}

function asOptions(given: Given): TserverOptions {
  const hasCallUuid = given.callUuid ?? true;
  const [here, other, elsewhere] = given.sites ?? [];
  return {
    ...tserverDefaults,
    listen: given.listen,
    seed: given.seed,
    startTime: given.startTime ?? null,
    rate: given.rate,
    callsPerSecond: given.callsPerSecond ?? null,
    seconds: given.seconds ?? null,
    events: given.events ?? null,
    lingerSeconds: given.linger,
    clockSpeed: given.clockSpeed,
    asFastAsPossible: given.asFastAsPossible,
    resendEvents: given.resendBuffer,
    heartbeatMs: given.heartbeatMs,
    cutEvery: given.cutEvery ?? null,
    cutFor: given.cutFor,
    cutSettleMs: given.cutSettleMs,
    restartAt: given.restartAt,
    restartKeepsCalls: given.restartKeepsCalls,
    gapAt: given.gapAt,
    dbid: given.dbid,
    primaryDbid: given.primaryDbid ?? given.dbid,
    switchDbid: given.switchDbid,
    serverName: given.serverName,
    token: given.token ?? null,
    tls:
      given.tlsCert === undefined || given.tlsKey === undefined
        ? null
        : { certFile: given.tlsCert, keyFile: given.tlsKey, clientCaFile: given.tlsClientCa ?? null },
    role: given.role,
    truth: given.truth ?? null,
    observable: given.observable ?? null,
    hasPartyUuid: given.partyUuid ?? true,
    hasCallUuid,
    hasCallMonitoring: given.callMonitoring ?? hasCallUuid,
    plain: given.plain,
    agents: given.agents ?? null,
    queues: given.queues,
    talkSeconds: given.talkSeconds,
    transferPercent: given.transferPercent,
    voiceInFull: given.voiceInFull,
    sites:
      here === undefined || other === undefined || elsewhere === undefined
        ? null
        : { seed: given.sitesSeed, here, other, elsewhere },
    ...(here !== undefined && { switchName: here }),
    clientsMin: given.clientsMin,
  };
}

// ---- what an option's text may be

function readNumber(text: string): number {
  return text.trim() === "" ? Number.NaN : Number(text);
}

function percent(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 100)) throw new InvalidArgumentError("expected a number from 0 to 100");
  return value;
}

function positive(text: string): number {
  const value = readNumber(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError("expected a number above 0");
  return value;
}

function notNegative(text: string): number {
  const value = readNumber(text);
  if (!(value >= 0 && Number.isFinite(value))) throw new InvalidArgumentError("expected a number from 0");
  return value;
}

function wholeFrom(min: number): (text: string) => number {
  return (text) => {
    const value = readNumber(text);
    if (!(Number.isSafeInteger(value) && value >= min)) {
      throw new InvalidArgumentError(`expected a whole number from ${min}`);
    }
    return value;
  };
}

function siteNames(text: string): readonly [string, string, string] {
  const [here = "", other = "", elsewhere = "", ...rest] = text.split(",");
  const isDistinct = new Set([here, other, elsewhere]).size === 3;
  if (here === "" || other === "" || elsewhere === "" || rest.length > 0 || !isDistinct) {
    throw new InvalidArgumentError("expected the names of three switches, like North,South,West");
  }
  return [here, other, elsewhere];
}

function instantText(text: string): string {
  if (Number.isNaN(Date.parse(text))) throw new InvalidArgumentError("expected a time like 2026-11-23T08:00:00.000Z");
  return text;
}

function secondsRange(text: string): SecondsRange {
  const [min, max = min] = text.split("-").map(readNumber);
  if (min === undefined || max === undefined || !(min >= 0 && max >= min && max > 0 && Number.isFinite(max))) {
    throw new InvalidArgumentError("expected seconds, or a range of seconds like 5-20");
  }
  return { min, max };
}

function secondsList(text: string): readonly number[] {
  const seconds = text.split(",").map(readNumber);
  if (!seconds.every((each) => each >= 0 && Number.isFinite(each))) {
    throw new InvalidArgumentError("expected seconds, or several like 10,25,40");
  }
  return seconds;
}
