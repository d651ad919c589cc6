// What a manager would list at this point of a recording: the channels and the waiting callers, followed through the
// messages that were played. For list actions to which the recording holds no answer.

import type { AmiFields, AmiMessage } from "../../event/ami-message.ts";

const snapshotFields = [
  "Channel",
  "ChannelState",
  "ChannelStateDesc",
  "CallerIDNum",
  "CallerIDName",
  "ConnectedLineNum",
  "ConnectedLineName",
  "Language",
  "AccountCode",
  "Context",
  "Exten",
  "Priority",
  "Uniqueid",
  "Linkedid",
] as const;

interface LiveChannel {
  readonly values: ReadonlyMap<string, string>;
  readonly createdAt: number;
  readonly application: string;
  readonly applicationData: string;
  readonly bridgeId: string;
}

interface Waiting {
  readonly queue: string;
  readonly uniqueId: string;
  readonly channel: string;
  readonly number: string;
  readonly joinedAt: number;
}

export class LiveView {
  readonly #channels = new Map<string, LiveChannel>();
  readonly #waiting = new Map<string, Waiting>();

  /** Takes in a message as it is played; `at` in milliseconds by the recording's clock. */
  observe(message: AmiMessage, at: number): void {
    if (message.kind !== "event") return;
    const { name, fields } = message;
    const uniqueId = fields.get("Uniqueid");
    if (uniqueId === undefined || uniqueId === "") return;
    switch (name) {
      case "Hangup":
        this.#channels.delete(uniqueId);
        this.#waiting.delete(uniqueId);
        return;
      case "QueueCallerJoin":
      case "QueueEntry":
        this.#waiting.set(uniqueId, waitingOf(fields, uniqueId, at));
        return;
      case "QueueCallerLeave":
        this.#waiting.delete(uniqueId);
        return;
      case "Newchannel":
      case "CoreShowChannel":
      case "Newstate":
      case "NewCallerid":
      case "Newexten":
      case "BridgeEnter":
      case "BridgeLeave":
        this.#follow(name, fields, uniqueId, at);
    }
  }

  /** Answers CoreShowChannels: the response, a line for each channel, the end. */
  listChannels(actionId: string, at: number): string {
    let text = listBegins(actionId, "Channels will follow");
    for (const { values, createdAt, application, applicationData, bridgeId } of this.#channels.values()) {
      text += `Event: CoreShowChannel\r\nActionID: ${actionId}\r\n`;
      for (const field of snapshotFields) text += `${field}: ${values.get(field) ?? ""}\r\n`;
      text += `Application: ${application}\r\nApplicationData: ${applicationData}\r\n`;
      text += `Duration: ${duration(at - createdAt)}\r\nBridgeId: ${bridgeId}\r\n\r\n`;
    }
    return text + listEnds("CoreShowChannelsComplete", actionId, this.#channels.size);
  }

  /** Answers QueueStatus with those who wait. Queues and members are left out: no recording says all of them. */
  listWaiting(actionId: string, at: number): string {
    let text = listBegins(actionId, "Queue status will follow");
    const positions = new Map<string, number>();
    for (const { queue, uniqueId, channel, number, joinedAt } of this.#waiting.values()) {
      const position = (positions.get(queue) ?? 0) + 1;
      positions.set(queue, position);
      const wait = Math.floor(at / 1000) - Math.floor(joinedAt / 1000);
      text += `Event: QueueEntry\r\nQueue: ${queue}\r\nPosition: ${position}\r\nChannel: ${channel}\r\n`;
      text += `Uniqueid: ${uniqueId}\r\nCallerIDNum: ${number}\r\nWait: ${wait}\r\nActionID: ${actionId}\r\n\r\n`;
    }
    return text + listEnds("QueueStatusComplete", actionId, this.#waiting.size);
  }

  #follow(name: string, fields: AmiFields, uniqueId: string, at: number): void {
    const known = this.#channels.get(uniqueId);
    const isBeginning = name === "Newchannel" || name === "CoreShowChannel";
    if (known === undefined && !isBeginning) return;
    const values = new Map(known?.values);
    for (const field of snapshotFields) {
      const value = fields.get(field);
      if (value !== undefined) values.set(field, value);
    }
    this.#channels.set(uniqueId, {
      values,
      createdAt: known?.createdAt ?? createdAt(fields, uniqueId, at),
      application: fields.get("Application") ?? known?.application ?? "",
      applicationData: fields.get("ApplicationData") ?? fields.get("AppData") ?? known?.applicationData ?? "",
      bridgeId: bridgeOf(name, fields, known),
    });
  }
}

function bridgeOf(name: string, fields: AmiFields, known: LiveChannel | undefined): string {
  if (name === "BridgeEnter") return fields.get("BridgeUniqueid") ?? "";
  if (name === "BridgeLeave") return "";
  return fields.get("BridgeId") ?? known?.bridgeId ?? "";
}

function waitingOf(fields: AmiFields, uniqueId: string, at: number): Waiting {
  const wait = Number(fields.get("Wait") ?? 0);
  return {
    queue: fields.get("Queue") ?? "",
    uniqueId,
    channel: fields.get("Channel") ?? "",
    number: fields.get("CallerIDNum") ?? "",
    joinedAt: at - wait * 1000,
  };
}

/** A unique id holds the second of the channel's creation. */
function createdAt(fields: AmiFields, uniqueId: string, at: number): number {
  if (fields.get("Timestamp") !== undefined) return at;
  const [, seconds] = /(\d{9,11})\.\d+$/.exec(uniqueId) ?? [];
  return seconds === undefined ? at : Number(seconds) * 1000;
}

function listBegins(actionId: string, message: string): string {
  return `Response: Success\r\nActionID: ${actionId}\r\nEventList: start\r\nMessage: ${message}\r\n\r\n`;
}

function listEnds(event: string, actionId: string, items: number): string {
  return `Event: ${event}\r\nActionID: ${actionId}\r\nEventList: Complete\r\nListItems: ${items}\r\n\r\n`;
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}
