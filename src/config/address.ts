// host:port as the configuration and the command line write it; an IPv6 host stands in brackets.

import { isIPv4 } from "node:net";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export const addressExpected = '"host:port" with a port from 1 to 65535; an IPv6 host in brackets';

/** The address in `text`, or what is wrong with it. Port 0 (the system chooses) only with `allowPortZero`. */
export function parseAddress(
  text: string,
  { allowPortZero = false }: { readonly allowPortZero?: boolean } = {},
): Address | { readonly wrong: string } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/@]+)):(\d+)$/.exec(text);
  if (match === null) return { wrong: "it is not host:port" };
  const host = match[1] ?? match[2] ?? "";
  const port = Number(match[3]);
  if (port > 65535 || (port === 0 && !allowPortZero)) return { wrong: `there is no port ${match[3]}` };
  return { host: host.toLowerCase(), port };
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether only this host can reach a server that listens there. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

/** Whether a server that listens there listens on every address of this host. */
export function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || /^[0:]+$/.test(host);
}
