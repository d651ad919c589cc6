// icon unit: the systemd unit for one instance, closed as far as the program lets it be.
//
// What is left open, and why: MemoryDenyWriteExecute would turn the JIT compiler off (2.6 times slower); the network is
// what the sources are on; and the runtime directory must allow code to be loaded, for the database library is unpacked
// there.

import { dirname, isAbsolute, resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";

interface UnitOptions {
  readonly binary: string;
  readonly config: string;
  readonly user: string;
  readonly dataDir: string;
  readonly allow: string;
}

// The ranges that a site's own network is in; everything else is refused by the kernel.
const privateNetworks = "localhost 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fe80::/10 fc00::/7";

export function unitCommand(): Command {
  return new Command("unit")
    .description("print the systemd unit for an instance")
    .option("--binary <FILE>", "where the program is", absolute, resolve(process.execPath))
    .option("-c, --config <FILE>", "the configuration file", absolute, "/etc/icon/icon.toml")
    .option("--user <NAME>", "whom it runs as; it must exist", word, "icon")
    .option("--data-dir <DIR>", "the data_dir of the configuration", absolute, "/var/lib/icon")
    .option(
      "--allow <ADDRESSES>",
      "addresses of sources and readers, as IPAddressAllow= takes them",
      line,
      privateNetworks,
    )
    .action((options: UnitOptions) => console.log(unitText(options)));
}

function absolute(path: string): string {
  if (!isAbsolute(path) || /[\s%]/.test(path)) {
    throw new InvalidArgumentError("expected an absolute path without spaces and percent signs");
  }
  return path;
}

function word(text: string): string {
  if (!/^[A-Za-z_][\w.-]*$/.test(text)) throw new InvalidArgumentError("expected the name of a user");
  return text;
}

function line(text: string): string {
  if (/[\r\n]/.test(text)) throw new InvalidArgumentError("expected one line");
  return text;
}

function unitText({ binary, config, user, dataDir, allow }: UnitOptions): string {
  return `# Printed by icon unit. Install as /etc/systemd/system/icon.service, then: systemctl daemon-reload
[Unit]
Description=icon, an Interaction Concentrator
Wants=network-online.target
After=network-online.target time-sync.target
# It is never given up: what waits in the persistent queue is worth another try.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart=${binary} run --config ${config}
ExecReload=/bin/kill -HUP $MAINPID
User=${user}
WorkingDirectory=${dirname(config)}
# 65: damaged or newer files; 78: configuration. Starting again would not help.
Restart=on-failure
RestartSec=2
RestartPreventExitStatus=65 78
WatchdogSec=60
# It stops within 20 s: sources at once, then the backlog for 15 s at most; the rest waits for the next start.
TimeoutStopSec=30
LimitNOFILE=8192
UMask=0077
ReadWritePaths=${dataDir}
# The database library is unpacked here and loaded.
RuntimeDirectory=icon
RuntimeDirectoryMode=0700
Environment=BUN_TMPDIR=/run/icon
UnsetEnvironment=BUN_BE_BUN BUN_OPTIONS BUN_INSPECT NODE_OPTIONS

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
ProcSubset=pid
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
PrivateMounts=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RemoveIPC=yes
KeyringMode=private
DevicePolicy=closed
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
IPAddressDeny=any
IPAddressAllow=${allow}

[Install]
WantedBy=multi-user.target`;
}
