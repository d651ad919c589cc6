// Stories in which something was once judged wrongly, found by chance and cut down; each by what was overlooked.

import type { Story } from "./pair-model.ts";

export const overlookedOnce: readonly (readonly [what: string, story: Story])[] = [
  [
    "a server blind before it was first heard, and dead before it said more",
    {
      turns: [
        { server: 0, isNewStart: false, pauseMs: 1, lengthMs: 500, isOrderly: true, events: [2], blind: null },
        { server: 0, isNewStart: true, pauseMs: 0, lengthMs: 14097, isOrderly: false, events: [], blind: [55, 101] },
      ],
      listeners: [{ delayMs: 1, cuts: [], damage: [], lostTailMs: 1, reached: 1000 }],
      heartbeatMs: 2500,
    },
  ],
  [
    "a run of which one copy had a session and nobody a word",
    {
      turns: [
        { server: 0, isNewStart: false, pauseMs: 0, lengthMs: 666, isOrderly: true, events: [53], blind: null },
        { server: 1, isNewStart: false, pauseMs: 0, lengthMs: 500, isOrderly: false, events: [], blind: [63, 5] },
        { server: 0, isNewStart: true, pauseMs: 1, lengthMs: 5533, isOrderly: true, events: [], blind: null },
      ],
      listeners: [
        { delayMs: 1, cuts: [], damage: [], lostTailMs: 0, reached: 300 },
        { delayMs: 35, cuts: [], damage: [], lostTailMs: 0, reached: 300 },
      ],
      heartbeatMs: 700,
    },
  ],
  [
    "a run that one copy came to late and said nothing of",
    {
      turns: [
        { server: 0, isNewStart: false, pauseMs: 1, lengthMs: 7757, isOrderly: true, events: [], blind: null },
        { server: 0, isNewStart: false, pauseMs: 1, lengthMs: 1302, isOrderly: false, events: [], blind: null },
        { server: 0, isNewStart: false, pauseMs: 3565, lengthMs: 3102, isOrderly: false, events: [], blind: null },
        { server: 0, isNewStart: false, pauseMs: 1885, lengthMs: 2574, isOrderly: false, events: [0], blind: null },
        { server: 0, isNewStart: false, pauseMs: 1, lengthMs: 12767, isOrderly: false, events: [], blind: null },
      ],
      listeners: [
        { delayMs: 0, cuts: [{ atMs: 0, lengthMs: 18000, isResumed: false }], damage: [], lostTailMs: 0, reached: 338 },
        {
          delayMs: 0,
          cuts: [{ atMs: 8058, lengthMs: 12163, isResumed: false }],
          damage: [],
          lostTailMs: 267,
          reached: 1000,
        },
      ],
      heartbeatMs: 700,
    },
  ],
  [
    "blind in two runs, the second before its first word",
    {
      turns: [
        { server: 0, isNewStart: false, pauseMs: 1, lengthMs: 2735, isOrderly: true, events: [987], blind: [586, 182] },
        { server: 0, isNewStart: true, pauseMs: 0, lengthMs: 7329, isOrderly: false, events: [], blind: [50, 218] },
      ],
      listeners: [{ delayMs: 1, cuts: [], damage: [], lostTailMs: 0, reached: 1000 }],
      heartbeatMs: 700,
    },
  ],
  [
    "blind twice, and one copy heard of the first time only",
    {
      turns: [
        { server: 1, isNewStart: false, pauseMs: 0, lengthMs: 8133, isOrderly: true, events: [], blind: [50, 5] },
        { server: 1, isNewStart: false, pauseMs: 0, lengthMs: 7567, isOrderly: false, events: [], blind: [50, 290] },
        { server: 0, isNewStart: false, pauseMs: 0, lengthMs: 500, isOrderly: false, events: [], blind: null },
      ],
      listeners: [
        {
          delayMs: 0,
          cuts: [{ atMs: 747, lengthMs: 8065, isResumed: false }],
          damage: [],
          lostTailMs: 1,
          reached: 300,
        },
        { delayMs: 0, cuts: [], damage: [], lostTailMs: 0, reached: 1000 },
      ],
      heartbeatMs: 700,
    },
  ],
  [
    "a role given and taken back while one copy was away, whose numbers go on",
    {
      turns: [
        { server: 0, isNewStart: false, pauseMs: 0, lengthMs: 6001, isOrderly: false, events: [], blind: null },
        { server: 1, isNewStart: false, pauseMs: 5, lengthMs: 19175, isOrderly: true, events: [], blind: null },
        { server: 0, isNewStart: false, pauseMs: 0, lengthMs: 2510, isOrderly: true, events: [0], blind: null },
        { server: 1, isNewStart: false, pauseMs: 1, lengthMs: 2204, isOrderly: true, events: [], blind: null },
        { server: 0, isNewStart: false, pauseMs: 0, lengthMs: 846, isOrderly: false, events: [951], blind: null },
      ],
      listeners: [
        {
          delayMs: 0,
          cuts: [{ atMs: 18662, lengthMs: 9330, isResumed: false }],
          damage: [],
          lostTailMs: 0,
          reached: 1000,
        },
        { delayMs: 1, cuts: [], damage: [], lostTailMs: 1, reached: 1000 },
      ],
      heartbeatMs: 2500,
    },
  ],
];
