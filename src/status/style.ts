// The page's looks: dense and calm, dark at night where the viewer's system is; a state is told by its word and its
// mark as well as by its colour.

export const pageStyle = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f8; --panel: #ffffff; --line: #dde1e5; --text: #1b2127; --quiet: #5c6670;
  --good: #17693a; --good-ground: #e2f2e8; --look: #7d4e00; --look-ground: #fbeed3; --bad: #a3141d; --bad-ground: #fbe3e4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161a; --panel: #1a2026; --line: #2d353d; --text: #dfe5ea; --quiet: #97a3ae;
    --good: #7dd3a0; --good-ground: #16311f; --look: #f0bd62; --look-ground: #382a10; --bad: #ff9a9f; --bad-ground: #45181b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 14px/1.45 system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
main, .lost, footer { max-width: 1360px; margin: 0 auto; padding: 0 20px; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 16px; padding: 18px 0 12px; }
h1 { font-size: 20px; margin: 0; font-weight: 650; }
h2 { font-size: 13px; margin: 0; font-weight: 650; }
.quiet { color: var(--quiet); font-weight: 400; }
.push { margin-left: auto; }
.verdict { border-radius: 8px; padding: 10px 14px; margin-bottom: 12px; }
.verdict strong { font-size: 17px; }
.verdict ul { margin: 4px 0 0; padding-left: 20px; }
.good { color: var(--good); } .look { color: var(--look); } .bad { color: var(--bad); }
.verdict.good { background: var(--good-ground); }
.verdict.look { background: var(--look-ground); }
.verdict.bad { background: var(--bad-ground); }
.mark::before { content: "\\25CF"; margin-right: 6px; font-size: 0.8em; }
.mark.look::before { content: "\\25B2"; }
.mark.bad::before { content: "\\25A0"; }
.glance { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 12px; margin: 0 0 12px; }
.glance div { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 8px 14px 10px; }
.glance dt { color: var(--quiet); font-size: 12.5px; }
.glance dd { margin: 0; }
.glance dd.figure { font-size: 22px; line-height: 1.3; font-weight: 600; }
.glance dd.quiet { font-size: 12.5px; }
section { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; margin-bottom: 12px; overflow-x: auto; }
section h2 { padding: 9px 14px 7px; border-bottom: 1px solid var(--line); }
section p { margin: 0; padding: 9px 14px; }
.halves { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); column-gap: 12px; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 4px 10px; vertical-align: top; }
th:first-child, td:first-child { padding-left: 14px; }
th:last-child, td:last-child { padding-right: 14px; }
thead th { font-weight: 500; font-size: 12.5px; color: var(--quiet); white-space: nowrap; }
tbody th { font-weight: 600; white-space: nowrap; }
tbody tr + tr > * { border-top: 1px solid var(--line); }
.number { text-align: right; white-space: nowrap; }
.close { white-space: nowrap; }
.rest { width: 100%; }
.facts th { font-weight: 400; color: var(--quiet); }
.facts td { text-align: right; overflow-wrap: anywhere; }
.note > td, .note > th { border-top: 0 !important; padding-top: 0; color: var(--look); font-weight: 400; white-space: normal; }
code { font: 12.5px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.lost { display: none; }
[data-live="lost"] .lost { display: block; padding-top: 14px; }
[data-live="lost"] .lost p { background: var(--bad); color: var(--ground); font-weight: 600; border-radius: 8px; padding: 10px 14px; margin: 0; }
[data-live="lost"] main { opacity: 0.45; }
.when-live { display: none; }
[data-live="yes"] .when-live { display: inline; }
[data-live="yes"] .when-still { display: none; }
.login { max-width: 440px; padding-top: 12vh; }
.login form { display: grid; gap: 8px; padding: 12px 14px; }
.login form p { padding: 0; }
.login label { color: var(--quiet); font-size: 12.5px; }
.login input, .login button {
  font: inherit; color: inherit; padding: 7px 10px; border: 1px solid var(--line); border-radius: 6px; background: var(--ground);
}
.login button { justify-self: start; padding: 7px 16px; font-weight: 600; cursor: pointer; }
.login :is(input, button):focus-visible { outline: 2px solid var(--good); outline-offset: 1px; }
footer { color: var(--quiet); font-size: 12.5px; padding-bottom: 24px; }
footer a, .login a { color: inherit; }
@media (max-width: 640px) {
  .stacking thead { display: none; }
  .stacking tr { display: flex; flex-wrap: wrap; gap: 0 12px; padding: 5px 14px; }
  .stacking tr + tr { border-top: 1px solid var(--line); }
  .stacking tbody tr > td { padding: 0; border: 0; white-space: normal; }
  .stacking td:last-child { width: 100%; }
}
`;
