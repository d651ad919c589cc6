// Asks one server of the T-Event link which role it has, and leaves: its hello says it before anything else is said.

import { LineFramer } from "../protocol/tevent/framer.ts";
import { decodeLine, type Hello, lineBytesMax } from "../protocol/tevent/line.ts";
import type { Address, Connection, Network } from "./network.ts";
import type { TlsTerms } from "./tls.ts";

export interface RoleQuestion {
  readonly network: Network;
  readonly address: Address;
  readonly timeoutMs: number;
  readonly stop: AbortSignal;
  readonly tls: TlsTerms | null;
  readonly after: (delayMs: number, act: () => void) => () => void;
}

/** Null: it cannot be reached, or says nothing of its role in time. Never rejects. */
export async function askRole(question: RoleQuestion): Promise<Hello["role"] | null> {
  const { network, address, timeoutMs, stop, tls, after } = question;
  const { promise, resolve } = Promise.withResolvers<Hello["role"] | null>();
  const framer = new LineFramer();
  const nobody = () => resolve(null);
  let connection: Connection | null = null;
  const cancel = after(timeoutMs, nobody);
  stop.addEventListener("abort", nobody, { once: true });
  try {
    const handlers = {
      data: (chunk: Uint8Array) => {
        const [first] = framer.push(chunk);
        if (first !== undefined) {
          const line = decodeLine(first.bytes, first.isCut);
          resolve(line.kind === "hello" ? line.role : null);
        } else if (framer.pendingBytes >= lineBytesMax) resolve(null);
      },
      closed: nobody,
    };
    connection = await network.connect(address, handlers, timeoutMs, stop, tls);
    const role = await promise;
    connection.write(`{"bye":${role === "backup" ? '"backup"' : '"shutdown"'}}\n`);
    return role;
  } catch {
    return null;
  } finally {
    cancel();
    stop.removeEventListener("abort", nobody);
    connection?.destroy();
  }
}
