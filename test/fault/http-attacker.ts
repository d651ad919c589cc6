// Everything bad that can come to the HTTP side, from a process of its own: `bun http-attacker.ts PORT plain|tls`. It
// attacks while it was last told "attack" on standard input and lets go of everything at "calm"; each word is answered
// with a line of JSON that says what has come back so far.

import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** What came back, since the start. */
export interface Repulse {
  readonly opened: number;
  /** Answers by their status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Answers in which something of the instance's state stood. */
  readonly told: number;
}

const stretchMs = 50;
// What only the state of the instance under test holds.
const stateWords = /icon_queue_bytes|durablePosition|Persistent queue|"idbId"|"windowSeconds"/;

if (import.meta.main) attack(Number(process.argv[2]), process.argv[3] === "tls");

function attack(port: number, isTls: boolean): void {
  const sockets = new Set<Socket>();
  const statuses: Record<string, number> = {};
  let opened = 0;
  let told = 0;
  let lasting = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  const host = `Host: 127.0.0.1:${port}\r\n`;

  const open = (bytes: string | Uint8Array, { isRaw = false, isRead = true } = {}): Socket => {
    const isEncrypted = isTls && !isRaw;
    const to = { port, host: "127.0.0.1" };
    const socket: Socket = isEncrypted ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to);
    opened += 1;
    sockets.add(socket);
    socket.on("error", () => {}); // being thrown out is what should happen
    socket.on("close", () => sockets.delete(socket));
    socket.once(isEncrypted ? "secureConnect" : "connect", () => {
      socket.write(bytes);
      if (!isRead) socket.pause();
    });
    if (isRead) {
      socket.on("data", (chunk: Buffer) => {
        const text = chunk.toString("latin1");
        for (const [, status] of text.matchAll(/HTTP\/1\.1 (\d{3})/g))
          statuses[`${status}`] = (statuses[`${status}`] ?? 0) + 1;
        if (stateWords.test(text)) told += 1;
      });
    }
    return socket;
  };
  /** Opened again when it is thrown out, at most so many a stretch. */
  const keep = (bytes: string | Uint8Array, options: { isRaw?: boolean; isRead?: boolean } = {}) => {
    lasting += 1;
    open(bytes, options).on("close", () => {
      lasting -= 1;
    });
  };
  const lastingKinds = [
    () => keep(`GET / HTTP/1.1\r\n${host}X-Slow: `),
    () => keep("", { isRaw: true }),
    () => keep(new Uint8Array([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]), { isRaw: true }),
    () => keep(`GET /events HTTP/1.1\r\n${host}\r\n`, { isRead: false }),
    () => keep(`GET /api/v1/extract?what=ledger&from=0&to=253402300799 HTTP/1.1\r\n${host}\r\n`, { isRead: false }),
    () =>
      keep(
        `POST /login HTTP/1.1\r\n${host}Origin: http://127.0.0.1:${port}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 900\r\n\r\ntoken=`,
      ),
  ];
  const round = () => {
    for (let each = 0; each < 20 && lasting < 300; each++) lastingKinds[each % lastingKinds.length]?.();
    const token = `icon_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")}`;
    open(`GET / HTTP/1.1\r\n${host}X-Big: ${"x".repeat(1_000_000)}\r\n\r\n`);
    open(`GET /api/v1/status HTTP/1.1\r\n${host}\r\n`.repeat(50)); // one behind the other
    open(`GET /metrics HTTP/1.1\r\n${host}Authorization: Bearer ${token}\r\n\r\n`.repeat(5));
    open(`GET / HTTP/1.1\r\n${host}Accept: text/html\r\n\r\n`.repeat(20));
    open(`GET /api/v1/availability?from=0&to=253402300799 HTTP/1.1\r\n${host}\r\n`.repeat(3));
    open(`GET /api/v1/extract?what=calls&calls=named${"&call=x".repeat(200)} HTTP/1.1\r\n${host}\r\n`);
    open(`GET /api/v1/windows?from=%00&to=${"9".repeat(2_000)}&source=../.. HTTP/1.1\r\n${host}\r\n`.repeat(5));
    // Gone before there is an answer.
    open(`GET /api/v1/extract?what=identity HTTP/1.1\r\n${host}\r\n`).once("connect", function (this: Socket) {
      setTimeout(() => this.destroy(), 20);
    });
    open(crypto.getRandomValues(new Uint8Array(4_096)));
    open(`POST / HTTP/1.1\r\n${host}Content-Length: 1000000000\r\n\r\n`);
    open(`GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n`);
    open(`GET /../../etc/passwd HTTP/1.1\r\n${host}\r\n`, { isRaw: true });
  };
  const answer = () => process.stdout.write(`${JSON.stringify({ opened, statuses, told } satisfies Repulse)}\n`);

  let words = "";
  process.stdin.on("data", (chunk: Buffer) => {
    words += chunk.toString();
    for (let end = words.indexOf("\n"); end !== -1; end = words.indexOf("\n")) {
      const word = words.slice(0, end);
      words = words.slice(end + 1);
      clearInterval(timer);
      if (word === "attack") timer = setInterval(round, stretchMs);
      else for (const socket of sockets) socket.destroy();
      answer();
    }
  });
  process.stdin.on("end", () => process.exit(0));
}
