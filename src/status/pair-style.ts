// The looks of the time line. Every state has a shape or a pattern of its own beside its colour.

export const pairStyle = `
:root { --whole: #4aa06c; --gap: #b3202a; --gap-mark: #ffffff; --taken: #3d6fb5; }
@media (prefers-color-scheme: dark) {
  :root { --whole: #3f8f60; --gap: #e4646b; --gap-mark: #2a0c0e; --taken: #7aa7e6; }
}
.pair-head { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 14px; padding: 7px 14px; border-bottom: 1px solid var(--line); }
.pair-head h2 { padding: 2px 0; border: 0; }
.pair-head .quiet { font-size: 12.5px; }
.spans { display: flex; gap: 2px; }
.spans a { color: var(--quiet); text-decoration: none; padding: 2px 8px; border-radius: 5px; font-size: 12.5px; white-space: nowrap; }
.spans a:hover { color: var(--text); text-decoration: underline; }
.spans a[aria-current] { color: var(--text); background: var(--ground); box-shadow: inset 0 0 0 1px var(--line); font-weight: 600; }
.pair-note + .pair-note { padding-top: 0; }
.pair-source { padding: 10px 0 4px; }
.pair-source + .pair-source { border-top: 1px solid var(--line); }
.pair-source h3 { margin: 0; padding: 0 14px 6px; font-size: 14px; font-weight: 600; display: flex; flex-wrap: wrap; gap: 0 12px; }
.pair-source h3 .mark { font-weight: 400; }
.pair-source > p { padding: 0 14px 6px; font-size: 12.5px; }
.lines { display: grid; grid-template-columns: fit-content(200px) minmax(0, 1fr); gap: 4px 12px; padding: 0 14px 4px; align-items: start; }
.who { line-height: 18px; font-size: 12.5px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.lines .who:first-child { font-weight: 600; }
.absent { line-height: 18px; font-size: 12.5px; padding-left: 8px; background: var(--ground); border-radius: 3px; }
svg.line { display: block; overflow: visible; }
svg.line rect { shape-rendering: crispEdges; }
svg .complete { fill: var(--whole); }
svg .silent { fill: var(--whole); }
svg .ground { fill: var(--panel); }
svg .incomplete, svg .divergent { stroke: var(--gap); stroke-width: 2; }
svg .gap-ground { fill: var(--gap); }
svg .gap-mark { stroke: var(--gap-mark); stroke-width: 1.4; fill: none; }
svg .dot { fill: var(--quiet); }
svg .tick { stroke: var(--text); stroke-opacity: 0.18; pointer-events: none; }
svg .chosen { fill: var(--taken); }
svg.scale { display: block; overflow: visible; }
svg.scale text { fill: var(--quiet); font-size: 11.5px; }
svg.line a:focus-visible { outline: 2px solid var(--text); outline-offset: 1px; }
.patterns { position: absolute; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0; padding: 8px 14px 10px; list-style: none; border-top: 1px solid var(--line); color: var(--quiet); font-size: 12.5px; }
.legend li { display: flex; align-items: center; gap: 7px; }
.gap-list { overflow-x: auto; padding-bottom: 4px; }
.gaps tr:target > td { background: var(--look-ground); }
@media (max-width: 640px) {
  .lines { grid-template-columns: minmax(0, 1fr); gap: 1px; }
  .lines .who:empty { display: none; }
  .lines .who:not(:first-child) { padding-top: 5px; }
}
`;
