"""The look of all pages: palette and style sheet.

What does not belong here: layout of a page, and any text that people read.
"""

INK = "#1c2b33"
MUTED = "#5a6b75"
LINE = "#dde3e6"
GROUND = "#eef1f3"
ENERGY = "#1f5f8b"
ENERGY_BAND = "#c3d7e6"
CALLS = "#a65c14"
PER_CALL = "#2e7050"
WALL = "#a4232d"
WALL_GROUND = "#f8e9ea"
NOBODY = "#7d8a92"
FONT = "'Source Sans', 'Source Sans Pro', 'DejaVu Sans', sans-serif"
# Told apart by lightness as well as by hue.
PURPOSES = {
    "interactive": "#1f5f8b",
    "batch": "#6ba3c8",
    "background": "#b7cbd8",
    "evaluation": "#5f8f6b",
    "retry": "#a65c14",
    "unknown": "#7d8a92",
}
# Evidence from the best to the weakest: blue for what was measured, amber for what was reckoned, grey for no figure.
RUNGS = {
    "0": "#0d3552",
    "1": "#1f5f8b",
    "2": "#5c9cc5",
    "3": "#a9cce0",
    "4": "#ecc56b",
    "5": "#b06a12",
    "metered_elsewhere": "#d3dade",
    "unknown": "#7d8a92",
}
# Pieces of a machine's meter and of a training run; grey is what is booked to none.
LINES = {
    "gpu_active": "#1f5f8b",
    "gpu_idle_allocated": "#ecc56b",
    "gpu_idle_unallocated": "#b06a12",
    "host_share": "#a9cce0",
    "meter_below_counters": "#a4232d",
}
STAGES = {
    "data_loading": "#ecc56b",
    "forward": "#5c9cc5",
    "backward": "#1f5f8b",
    "optimiser": "#0d3552",
    "communication": "#b06a12",
    "checkpoint": "#8fbf9a",
    "evaluation": "#2e7050",
    "unattributed": "#a7b2b9",
}
DELIVERED = {"all": "#a9cce0", "in part": "#ecc56b", "none": "#a4232d"}
# What the energy of an item holds; only energies of one boundary can be told larger from smaller.
BOUNDARIES = {"gpu": "#a65c14", "node": "#2e7050", "facility": "#1f5f8b"}
# Quantile: name, shape and colour.
QUANTILES = {
    "p50_wh": ("half use at most", "circle", "#1f5f8b"),
    "mean_wh": ("mean", "diamond", "#2e7050"),
    "p95_wh": ("95 of 100", "square", "#a65c14"),
    "p99_wh": ("99 of 100", "triangle-up", "#a4232d"),
}
# A total, what raised and what lowered it, and what is neither growth nor saving; each bar has its sign beside it.
WATERFALL = {"total": "#1f5f8b", "more": "#a65c14", "less": "#2e7050", "apart": "#a7b2b9"}
SIGNS = {"circle": "●", "square": "■", "diamond": "◆", "triangle-up": "▲", "cross": "✚"}
RUNS = {
    "completed": ("circle", "#1f5f8b"),
    "superseded": ("square", "#a65c14"),
    "failed": ("cross", "#a4232d"),
    "still running": ("triangle-up", "#7d8a92"),
}
STATUS_MARKS = {"exceeded": "■", "on course to exceed": "▲", "undecided": "◆", "within": "●"}
STATUS_CLASSES = {"exceeded": "over", "on course to exceed": "risk", "undecided": "open", "within": "good"}

CSS = """
<style>
:root { --ink:#1c2b33; --muted:#5a6b75; --line:#dde3e6; --ground:#f4f6f7; }
[data-testid="stAppDeployButton"], [data-testid="stMainMenu"], [data-testid="stToolbarActions"],
[data-testid="stElementToolbar"], [data-testid="stStatusWidget"], .vega-embed details { display:none !important; }
[data-testid="stMainBlockContainer"] { max-width:1320px; padding:5rem 2.5rem 4rem; }
[data-testid="stHeader"] { border-bottom:1px solid var(--line);
       padding-left:max(1rem, calc((100vw - 1320px) / 2 + 1.9rem)); }
[data-testid="stHeadingWithActionElements"] a { display:none; }
h1.j { font-size:1.9rem; line-height:1.2; font-weight:650; letter-spacing:-.01em; margin:0; padding:0;
       color:var(--ink); }
h2.j { font-size:1.25rem; line-height:1.3; font-weight:650; margin:1.9rem 0 .1rem; padding:1.1rem 0 0;
       border-top:1px solid var(--line); color:var(--ink); }
h3.j { font-size:1.02rem; line-height:1.35; font-weight:620; margin:.35rem 0 0; padding:0; color:var(--ink); }
p.j { color:var(--muted); font-size:.92rem; line-height:1.45; margin:.15rem 0 .35rem;
       text-wrap:pretty; }
p.j.even { min-height:1.4rem; }
h3.j.even { min-height:2.75rem; }
.j-over { font-size:.82rem; color:var(--muted); margin:0 0 .2rem; }
.j-meta { color:var(--muted); font-size:.88rem; margin:.3rem 0 0; font-variant-numeric:tabular-nums; }
.j-meta code { font-family:ui-monospace,'DejaVu Sans Mono',monospace; font-size:.82em; color:var(--ink);
       background:var(--ground); padding:.1em .35em; border-radius:4px; }
.j-sandbox { background:#fff4d6; border:1px solid #e3c878; color:#5c4300; border-radius:6px; padding:.45rem .8rem;
       font-size:.92rem; margin:0 0 1rem; }
.j-cards { display:grid; grid-template-columns:repeat(auto-fit,minmax(205px,1fr)); gap:1rem; margin:1rem 0 .25rem; }
@media (max-width:1000px) { .j-cards { grid-template-columns:repeat(auto-fit,minmax(270px,1fr)); } }
nav.j { font-size:.88rem; color:var(--muted); margin:.9rem 0 0; line-height:1.9; }
nav.j a { color:#1f5f8b; text-decoration:none; margin-right:1.1rem; white-space:nowrap; }
nav.j a:hover { text-decoration:underline; }
nav.j span { margin-right:.8rem; }
h2.j[id] { scroll-margin-top:4rem; }
.j-card { border:1px solid var(--line); border-radius:8px; padding:.85rem 1rem .8rem;
       display:flex; flex-direction:column; align-items:flex-start; }
.j-card .label { font-size:.86rem; color:var(--muted); }
.j-card .value { font-size:1.75rem; line-height:1.25; font-weight:640; color:var(--ink); margin:.1rem 0 .1rem;
       font-variant-numeric:tabular-nums; }
.j-card .note { font-size:.86rem; color:var(--muted); line-height:1.4; margin-bottom:.5rem; }
.j-card .range { font-size:.95rem; color:var(--ink); line-height:1.4; font-variant-numeric:tabular-nums;
       margin-bottom:.15rem; }
.j-badge { display:inline-block; font-size:.78rem; line-height:1.5; padding:.02rem .5rem; border-radius:4px;
       border:1px solid var(--line); background:var(--ground); color:var(--ink); margin:auto .3rem 0 0; }
.j-badge.low { background:#fff4d6; border-color:#e3c878; color:#5c4300; }
.j-status { white-space:nowrap; font-weight:600; font-size:.9rem; }
.j-status.over, .j-status.risk { color:#a4232d; } .j-status.open { color:#7a5200; } .j-status.good { color:#23694a; }
.j-scroll { overflow:auto; max-height:46rem; border:1px solid var(--line); border-radius:8px; }
table.j { border-collapse:collapse; width:100%; font-size:.88rem; line-height:1.4; }
table.j caption { position:absolute; width:1px; height:1px; overflow:hidden; clip-path:inset(50%); }
table.j th { position:sticky; top:0; background:var(--ground); color:var(--muted); font-weight:600; text-align:left;
       padding:.5rem .6rem; border-bottom:1px solid var(--line); white-space:nowrap; vertical-align:bottom; }
table.j td { padding:.42rem .6rem; border-bottom:1px solid #eceff1; vertical-align:top; color:var(--ink); }
table.j tr:last-child td { border-bottom:0; }
table.j .n { text-align:right; font-variant-numeric:tabular-nums; white-space:nowrap; }
table.j td.u { color:var(--muted); font-style:italic; }
table.j td.o { white-space:nowrap; }
table.j td.w { min-width:15rem; }
table.j small { display:block; font-size:.92em; color:var(--muted); }
.j-scroll.whole { max-height:none; }
[data-testid="stDownloadButton"] button { font-size:.86rem; min-height:0; padding:.2rem .7rem; }
[data-testid="stDownloadButton"] button p { font-size:.86rem; }
table.j .late { color:#a4232d; font-weight:600; }
table.j tr.nobody td { background:#fafbfb; color:var(--muted); }
table.j a { color:#1f5f8b; text-decoration:none; font-weight:600; } table.j a:hover { text-decoration:underline; }
ul.j { margin:.4rem 0 .6rem; padding:0; list-style:none; }
ul.j li { font-size:.95rem; line-height:1.45; padding:.42rem 0 .42rem .9rem; margin:0; border-left:3px solid #e3c878; }
ul.j li + li { margin-top:.35rem; }
dl.j { display:grid; grid-template-columns:repeat(auto-fit,minmax(190px,1fr)); gap:.7rem 1.5rem;
       margin:.7rem 0 .4rem; padding:0; }
dl.j > div { margin:0; padding:0; }
dl.j > .wide { grid-column:span 2; }
dl.j dt { font-size:.82rem; color:var(--muted); } dl.j dd { margin:0; font-size:.95rem; color:var(--ink); }
.j-empty { border:1px dashed #c3ccd1; border-radius:8px; padding:1.1rem 1.2rem; color:var(--muted); font-size:.95rem;
       margin:.5rem 0; }
.j-empty code { color:var(--ink); background:var(--ground); padding:.1em .35em; border-radius:4px; }
.j-total { font-size:.92rem; color:var(--muted); line-height:1.5; margin:1rem 0 0; padding:.6rem .9rem;
       border-left:3px solid var(--line); }
.j-total b { color:var(--ink); font-weight:640; }
table.j td.b { height:1px; padding:0 .6rem; width:34%; }
.j-bar { position:relative; height:100%; min-height:2.1rem; min-width:120px; }
table.j td:first-child { min-width:8.5rem; }
.j-scroll { container-type:inline-size; }
.j-bar i { position:absolute; display:block; }
.j-bar .track { top:8px; height:18px; left:0; right:0; background:var(--ground); }
.j-bar .past { top:0; bottom:0; right:0; background:#f8e9ea; }
.j-bar .low-high { top:10px; height:14px; background:#b3cde0; }
.j-bar .central { top:13px; height:8px; left:0; background:#1f5f8b; }
.j-bar em { position:absolute; top:7px; left:.3rem; line-height:20px; }
.j-bar .beyond { top:10px; right:0; border:7px solid transparent; border-right:0; border-left:9px solid #1c2b33; }
.j-bar .ahead { top:12px; width:9px; height:9px; margin-left:-5px; border:2px solid #1c2b33; background:#fff;
       transform:rotate(45deg); }
.j-bar .wall { top:0; bottom:0; width:3px; margin-left:-1px; background:#a4232d; }
table.j td.b.s { width:17%; min-width:6.5rem; }
p.j-keys span { margin-right:1rem; white-space:nowrap; color:var(--ink); font-size:.88rem; }
p.j-keys b { font-weight:400; font-size:1.15em; margin-right:.3rem; }
.j-swatch { display:inline-block; width:.72rem; height:.72rem; border-radius:2px; margin-right:.45rem; }
.nobody .j-bar .central { background:#5f6d76; } .nobody .j-bar .low-high { background:#c3ccd1; }
[data-testid="stExpander"] details { border:0; background:none; }
[data-testid="stExpander"] summary { padding:.15rem 0; min-height:0; width:fit-content; background:none; }
[data-testid="stExpander"] summary:hover p { color:#1f5f8b; text-decoration:underline; }
[data-testid="stExpander"] [data-testid="stExpanderDetails"] { padding:.35rem 0 .5rem; }
[data-testid="stExpander"] summary p { font-size:.86rem; color:var(--muted); }
a:focus-visible, summary:focus-visible, .j-scroll:focus-visible { outline:2px solid #1f5f8b; outline-offset:2px; }
@container (max-width:62rem) {
  table.j { font-size:.84rem; }
  table.j th, table.j th.n { white-space:normal; }
  table.j th, table.j td { padding-left:.42rem; padding-right:.42rem; }
  table.j td { overflow-wrap:anywhere; }
  table.j td:not(.n):not(.b):not(.a), table.j td:first-child { min-width:6rem; }
  table.j td.w { min-width:9rem; }
  table.j td.n small, table.j td.o, table.j .j-status { white-space:normal; }
  table.j td.o { overflow-wrap:normal; }
  table.j td.b { width:22%; }
  .j-bar { min-width:72px; }
}
@container (max-width:34rem) {
  table.j, table.j tbody, table.j tr, table.j td { display:block; }
  table.j td, table.j td:first-child, table.j td:not(.n):not(.b) { min-width:0; }
  table.j tr.nobody { background:#fafbfb; }
  table.j thead { position:absolute; width:1px; height:1px; overflow:hidden; clip-path:inset(50%); }
  table.j tr { padding:.5rem .7rem; border-bottom:1px solid var(--line); }
  table.j tr:last-child { border-bottom:0; }
  table.j td, table.j td.w, table.j td.b, table.j td.b.s { display:grid; grid-template-columns:minmax(6.5rem,38%) 1fr;
       gap:0 .6rem; width:auto; height:auto; padding:.16rem 0; border-bottom:0; text-align:left; }
  table.j td::before { content:attr(data-label); color:var(--muted); font-style:normal; grid-row:1 / span 3; }
  table.j td > *, table.j td small { grid-column:2; }
  table.j td.n { text-align:left; white-space:normal; }
  table.j td:first-child { display:block; font-weight:600; padding-bottom:.25rem; }
  table.j td:first-child::before { content:none; }
  table.j td:empty, table.j td.b.s:empty { display:none; }
  table.j td:first-child small { font-weight:400; }
  .j-bar { height:2.1rem; min-width:0; }
}
@media (min-width:640px) and (max-width:1000px) { h3.j.even { min-height:4.1rem; } p.j.even { min-height:4rem; } }
@media (max-width:640px) { .j-scroll.whole { max-height:46rem; } }
@media print { [data-testid="stHeader"], [data-testid="stExpander"], nav.j { display:none; } }
</style>
"""
