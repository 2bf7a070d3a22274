"""How a page looks: one style sheet, in the page itself. Text meets WCAG AA contrast, light and dark."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--paper:#fbfaf7;--card:#fff;--ink:#22252a;--soft:#5a616b;--line:#dedbd2;
--good:#17663a;--good-bg:#e7f3ea;--bad:#a3231c;--bad-bg:#fbeae7;--unsure:#7a5200;--unsure-bg:#fbf1da;
--plain:#3b4a63;--plain-bg:#edf0f5;--code:#f2f0ea;--focus:#1d5fbf}
@media (prefers-color-scheme:dark){:root{--paper:#16181c;--card:#1d2025;--ink:#e4e4e0;--soft:#a4aab3;--line:#363b43;
--good:#7fd6a0;--good-bg:#17301f;--bad:#ff9d92;--bad-bg:#3b1c19;--unsure:#f0c565;--unsure-bg:#362a10;
--plain:#b3c3dd;--plain-bg:#232a36;--code:#24282e;--focus:#8ab8ff}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0 auto;max-width:60rem;padding:1.5rem clamp(1rem,4vw,3rem) 4rem;background:var(--paper);color:var(--ink);
font:1.0625rem/1.65 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;overflow-wrap:anywhere}
h1,h2,h3,h4{line-height:1.25;text-wrap:balance;margin:0 0 .75rem}
h1{font-size:clamp(1.6rem,1.2rem + 2vw,2.3rem);letter-spacing:-.015em;max-width:none}
h2{font-size:1.45rem;margin-top:3.25rem;padding-top:1.25rem;border-top:1px solid var(--line)}
h3{font-size:1.13rem;margin-top:2rem}h4{font-size:1rem;margin-top:1.5rem}
p,ul,ol{margin:0 0 1rem;max-width:44rem}li{margin:.35rem 0}li::marker{color:var(--soft)}
a{color:inherit;text-underline-offset:.2em}:focus-visible{outline:3px solid var(--focus);outline-offset:2px}
.skip{position:absolute;left:-999rem}.skip:focus{left:1rem;top:1rem;background:var(--card);padding:.5rem 1rem}
.top{margin:1rem 0 1.5rem;padding:1.75rem clamp(1rem,4vw,2rem) 1.25rem;border-radius:.9rem;background:var(--plain-bg);
border-left:.45rem solid var(--plain)}
.top.good{background:var(--good-bg);border-color:var(--good)}.top.bad{background:var(--bad-bg);border-color:var(--bad)}
.top.unsure{background:var(--unsure-bg);border-color:var(--unsure)}
.verdict{margin:0 0 .5rem;font-weight:650}.verdict .badge{padding:0;background:none;font-size:1.05rem}
.lead{font-size:1.1rem;margin-bottom:.5rem}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;padding:0;max-width:none;font-size:.95rem}
nav li{margin:0}nav a{color:var(--soft);display:inline-block;padding:.25rem 0}
code,pre{font:.9em/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
p code,li code,td code,th code{background:var(--code);padding:.1em .35em;border-radius:.3em}
.badge{display:inline-block;padding:.05em .55em;border-radius:1em;font-weight:600;white-space:nowrap;
color:var(--plain);background:var(--plain-bg)}
.badge.good{color:var(--good);background:var(--good-bg)}.badge.bad{color:var(--bad);background:var(--bad-bg)}
.badge.unsure{color:var(--unsure);background:var(--unsure-bg)}
.mark{font-weight:700}.good>h3>.mark,.good>h4>.mark{color:var(--good)}.bad>h3>.mark,.bad>h4>.mark{color:var(--bad)}
.unsure>h3>.mark,.unsure>h4>.mark{color:var(--unsure)}
.notice{padding:.9rem 1.1rem;border-left:.3rem solid var(--plain);background:var(--plain-bg);border-radius:.4rem}
.notice.good{border-color:var(--good);background:var(--good-bg)}.notice.bad{border-color:var(--bad);background:var(--bad-bg)}
.notice.unsure{border-color:var(--unsure);background:var(--unsure-bg)}
.notice.bad strong{color:var(--bad)}.notice.unsure strong{color:var(--unsure)}.notice.good strong{color:var(--good)}
figure{margin:1.25rem 0}figcaption{color:var(--soft);font-size:.93rem;margin:.4rem 0}
.quote blockquote{margin:0;padding:.2rem 0 .2rem 1.1rem;border-left:.2rem solid var(--line);
white-space:pre-wrap;max-width:44rem}
.scroll{overflow-x:auto;max-width:100%}
.drawing .scroll{background:var(--card);border:1px solid var(--line);border-radius:.6rem}
table{border-collapse:collapse;width:100%;font-size:.93rem;line-height:1.45;margin:.5rem 0 1rem}
caption{text-align:left;color:var(--soft);padding:.4rem 0}
th,td{text-align:left;vertical-align:top;padding:.5rem .9rem .5rem 0;border-bottom:1px solid var(--line)}
thead th{color:var(--soft);font-weight:600;white-space:nowrap}tbody th{font-weight:500}
th,td{min-width:4.5rem;overflow-wrap:break-word}
.excerpt{border:1px solid var(--line);border-radius:.6rem;overflow:hidden;background:var(--card)}
.excerpt figcaption{margin:0;padding:.5rem .9rem;border-bottom:1px solid var(--line)}
.excerpt pre{margin:0;padding:.6rem 0;overflow-x:auto;tab-size:4;overflow-wrap:normal}
.excerpt pre code{display:block;width:max-content;min-width:100%}
.line{display:block;padding:0 .9rem}.number{color:var(--soft);user-select:none;padding-right:.6rem}
.line.bad{background:var(--bad-bg)}.line.good{background:var(--good-bg)}.line.unsure{background:var(--unsure-bg)}
.line.bad .number{color:var(--bad)}.line.good .number{color:var(--good)}.line.unsure .number{color:var(--unsure)}
svg{display:block;margin:0 auto;font:13px system-ui,sans-serif}
svg text{fill:var(--ink)}svg .soft{fill:var(--soft)}
svg .box{fill:var(--plain-bg);stroke:var(--plain)}svg .box.good{fill:var(--good-bg);stroke:var(--good)}
svg .box.bad{fill:var(--bad-bg);stroke:var(--bad)}svg .box.unsure{fill:var(--unsure-bg);stroke:var(--unsure)}
svg .bar{fill:var(--plain)}svg .bar.good{fill:var(--good)}svg .bar.bad{fill:var(--bad)}
svg .bar.unsure{fill:var(--unsure)}
svg .mark.good{fill:var(--good)}svg .mark.bad{fill:var(--bad)}svg .mark.unsure{fill:var(--unsure)}
svg .edge{stroke:var(--soft);fill:none;stroke-width:1.5}svg .edge.bad{stroke:var(--bad);stroke-dasharray:5 4}
svg .edge.good{stroke:var(--good)}svg .head{fill:var(--soft)}svg .head.bad{fill:var(--bad)}
svg .head.good{fill:var(--good)}
svg .rule{stroke:var(--line)}
footer{margin-top:4rem;padding-top:1.25rem;border-top:1px solid var(--line);color:var(--soft);font-size:.9rem}
footer p{max-width:none;margin:.25rem 0}
@media (max-width:34rem){body{font-size:1rem}.top{border-radius:.6rem}h2{margin-top:2.25rem}}
@media print{:root{color-scheme:light;--paper:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--good:#17663a;
--good-bg:#fff;--bad:#a3231c;--bad-bg:#fff;--unsure:#7a5200;--unsure-bg:#fff;--plain:#3b4a63;--plain-bg:#fff;--code:#fff}
body{max-width:none;padding:0;font-size:10.5pt}nav,.skip{display:none}.top{border:1px solid;border-left-width:.4rem}
.scroll{overflow:visible}.excerpt pre{white-space:pre-wrap}.excerpt pre code{width:auto}
h2,h3,h4{break-after:avoid}tr,.excerpt,.notice{break-inside:avoid}}
""".strip()
