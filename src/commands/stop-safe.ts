// icon stop-safe: whether this instance may be stopped now without a loss, asked of the other one of the pair.

import { Command, InvalidArgumentError, Option } from "commander";
import { sleep, systemClock } from "../clock.ts";
import { parseDuration } from "../config/quantity.ts";
import { type Config, loadConfig } from "../config.ts";
import { CopyError } from "../extraction/copy.ts";
import { answerBounds } from "../handing-out/answer.ts";
import { instanceAccess } from "../handing-out/instance-access.ts";
import { judgeLedgers } from "../handing-out/ledgers.ts";
import { readPeerStatus } from "../handing-out/peer-status.ts";
import { judgeStop, type StopVerdict } from "../handing-out/stop-safe.ts";
import { printed } from "../printed.ts";
import { CommandError, exitCodes } from "./exit.ts";

interface Options {
  readonly config: string;
  readonly within: number;
  readonly lookBack: number;
  readonly json: boolean;
}

const againMs = 2_000;

export function stopSafeCommand(): Command {
  return new Command("stop-safe")
    .description("whether this instance may be stopped now: the other one of the pair hears and has all that it has")
    .option("-c, --config <FILE>", "the configuration file; its [http] peer is asked", "icon.toml")
    .addOption(
      new Option("--within <duration>", "ask again until it may, for at most so long")
        .argParser(duration)
        .default(0, "ask once"),
    )
    .addOption(
      new Option("--look-back <duration>", "how long ago what only this instance has still counts")
        .argParser(duration)
        .default(600_000, "10m"),
    )
    .option("--json", "one JSON object", false)
    .addHelpText(
      "after",
      `
Exit codes: 0 it may be stopped; 1 it must not, the reasons are written; ${exitCodes.usage} wrong usage; ${exitCodes.configuration} the configuration is wrong,
or names no peer.

Example: icon stop-safe --config /etc/icon/icon.toml --within 60s && systemctl stop icon`,
    )
    .action(async (options: Options) => {
      process.exitCode = await run(options);
    });
}

async function run({ config: file, within, lookBack, json }: Options): Promise<number> {
  const { config } = loadConfig(file);
  if (config.http.peer === null) {
    throw new CommandError(
      exitCodes.configuration,
      "Cannot tell whether this instance may be stopped: no peer is configured; expected [http] peer, the address of the other one",
    );
  }
  const untilMs = systemClock.monotonic() + within;
  let verdict = await ask(config, lookBack);
  while (!verdict.isSafe && systemClock.monotonic() < untilMs) {
    await sleep(systemClock, Math.min(againMs, untilMs - systemClock.monotonic()));
    verdict = await ask(config, lookBack);
  }
  await printed(json ? `${JSON.stringify(verdict)}\n` : text(verdict, config.instance.name));
  return verdict.isSafe ? exitCodes.ok : exitCodes.failed;
}

async function ask({ instance, idb, http: { peer }, sources }: Config, lookBackMs: number): Promise<StopVerdict> {
  const until = systemClock.now() / 1000;
  const named = sources.map(({ identity: { name, primaryDbid, switchDbid } }) => ({
    ...{ name, cluster: primaryDbid, switchDbid },
  }));
  try {
    const [judged, peerStatus] = await Promise.all([
      judgeLedgers({ idbPath: idb.path, peer }, { from: until - lookBackMs / 1000, until }, answerBounds.windowsMax),
      peer === null ? null : readPeerStatus(instanceAccess(peer)),
    ]);
    const isHeard = peerStatus !== null && !("trouble" in peerStatus);
    const statusTrouble = isHeard ? null : (peerStatus?.trouble ?? null);
    return judgeStop({ sources: named, judged, peerStatus: isHeard ? peerStatus : null, statusTrouble });
  } catch (error) {
    if (!(error instanceof CopyError)) throw error;
    const reasons = [`What ${instance.name} has cannot be read: ${error.message}.`];
    return { isSafe: false, peer: null, reasons, sources: [] };
  }
}

function text({ isSafe, peer, reasons, sources }: StopVerdict, instanceName: string): string {
  const lines = isSafe
    ? [
        `${instanceName} may be stopped: ${peer} has and hears all that it does.`,
        ...sources.map(
          (each) =>
            `  ${each.name}: heard there until ${each.peerHeardUntil ?? "–"}, here until ${each.heardUntil ?? "–"}`,
        ),
      ]
    : [`${instanceName} must not be stopped now.`, ...reasons.map((each) => `  ${each}`)];
  return `${lines.join("\n")}\n`;
}

function duration(value: string): number {
  const ms = parseDuration(value);
  if (ms === null || ms > 86_400_000)
    throw new InvalidArgumentError('Expected a duration such as "60s", at most "24h".');
  return ms;
}
