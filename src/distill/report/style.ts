/** Of every page that has pictures of svg.ts. */
import { PICTURE_STYLE } from '../../evaluation/svg.ts';

export const STYLE = `${PICTURE_STYLE}
body{background:var(--page);color:var(--ink);font:15px/1.55 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1rem 1rem 4rem}
h1{font-size:1.4rem}h2{font-size:1.15rem;margin:2.6rem 0 .6rem;border-top:1px solid var(--line);padding-top:1rem}h3{font-size:1rem;margin:1.6rem 0 .3rem}
code{overflow-wrap:anywhere;font-size:.86em}.empty{color:var(--soft)}
.legend{margin:.4rem 0}.key{margin-right:1.2rem;white-space:nowrap}.key svg{display:inline-block;width:14px;vertical-align:-1px;margin-right:.3rem}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));gap:1rem}.pairs{grid-template-columns:repeat(auto-fit,minmax(20rem,1fr))}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.86rem;margin:.8rem 0;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.2rem .8rem .2rem 0;border-bottom:1px solid var(--line);white-space:nowrap}th{font-weight:600}
summary{cursor:pointer;margin:.6rem 0}
`;
