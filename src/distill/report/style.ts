/** Of every page that has pictures of svg.ts: light and dark, and a colour for each series. */
export const STYLE = `
:root{color-scheme:light dark;--page:#fcfcfb;--ink:#1f1e1c;--soft:#66645f;--line:#dedcd5;--s0:#2a78d6;--s1:#d9541f;--s2:#12855c;--s3:#a86f00;--s4:#6a4fc4;--s5:#c2477f}
@media(prefers-color-scheme:dark){:root{--page:#1a1a19;--ink:#eceae4;--soft:#a8a59d;--line:#3b3a37;--s0:#5b9ff0;--s1:#f0845a;--s2:#3cc492;--s3:#dba43a;--s4:#a694f0;--s5:#e884b0}}
body{background:var(--page);color:var(--ink);font:15px/1.55 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1rem 1rem 4rem}
h1{font-size:1.4rem}h2{font-size:1.15rem;margin:2.6rem 0 .6rem;border-top:1px solid var(--line);padding-top:1rem}h3{font-size:1rem;margin:1.6rem 0 .3rem}
code{overflow-wrap:anywhere;font-size:.86em}.empty{color:var(--soft)}
svg{width:100%;height:auto;display:block}svg text{fill:var(--ink);font:12px system-ui,sans-serif}
svg .end{text-anchor:end}svg .middle{text-anchor:middle;fill:var(--soft)}svg .start{fill:var(--soft)}svg .group,svg .title{font-weight:600}
.grid{stroke:var(--line);stroke-width:1}.bar{stroke:var(--c);stroke-width:2;opacity:.65}.mark{fill:var(--c)}
.line{fill:none;stroke:var(--c);stroke-width:2}.reference{fill:none;stroke:var(--soft);stroke-width:1.5;stroke-dasharray:4 4}
${Array.from({ length: 6 }, (_, i) => `.s${i}{--c:var(--s${i})}`).join('')}
.legend{margin:.4rem 0}.key{margin-right:1.2rem;white-space:nowrap}.key svg{display:inline-block;width:14px;vertical-align:-1px;margin-right:.3rem}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));gap:1rem}.pairs{grid-template-columns:repeat(auto-fit,minmax(20rem,1fr))}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.86rem;margin:.8rem 0;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.2rem .8rem .2rem 0;border-bottom:1px solid var(--line);white-space:nowrap}th{font-weight:600}
summary{cursor:pointer;margin:.6rem 0}
`;
