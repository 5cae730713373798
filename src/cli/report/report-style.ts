/** The style sheet of the report; light or dark as the reader's system asks. */
export const REPORT_STYLE = `
:root { --ground: #f6f5f1; --card: #fff; --text: #23241f; --soft: #6b6d63; --line: #e2e0d8; --accent: #2f6b4f; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #161814; --card: #20231e; --text: #e9eae3; --soft: #9da194; --line: #363a32; --accent: #7fc8a0; --bad: #ff8a80; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
header, main { max-width: 1500px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 32px; }
h1 { margin: 0; font-size: 30px; letter-spacing: -0.02em; }
.subtitle { margin: 4px 0 0; color: var(--soft); }
.totals { display: flex; flex-wrap: wrap; gap: 12px 40px; margin: 20px 0; }
.totals dt { color: var(--soft); font-size: 13px; }
.totals dd { margin: 0; font-size: 26px; font-weight: 650; font-variant-numeric: tabular-nums; }
.legend { display: flex; flex-wrap: wrap; gap: 6px 20px; margin: 0 0 24px; padding: 0; list-style: none; }
.swatch { display: inline-block; width: 11px; height: 11px; margin-right: 7px; border-radius: 3px; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr)); gap: 20px; align-items: start; padding-bottom: 48px; }
article { overflow: hidden; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
h2 { display: flex; justify-content: space-between; gap: 12px; margin: 0; padding: 12px 16px; font-size: 15px; overflow-wrap: anywhere; }
.badge { flex: none; color: var(--accent); }
.badge.failed, .error { color: var(--bad); }
.picture img { display: block; width: 100%; height: auto; }
.facts, .error { margin: 0; padding: 8px 16px; font-size: 13px; overflow-wrap: anywhere; }
.facts { color: var(--soft); }
details { border-top: 1px solid var(--line); }
summary { padding: 8px 16px; cursor: pointer; }
table { width: 100%; border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th { color: var(--soft); font-weight: 500; text-align: left; }
th, td { padding: 5px 8px; border-top: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { padding-left: 16px; }
td:nth-child(2) { white-space: normal; }
`;
