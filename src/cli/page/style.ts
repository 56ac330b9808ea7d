// How the page looks: dark where the reader's system is, always light on paper. No font and no picture is fetched.
import { dark, declared, light } from './colours.ts'

export const style = `
:root{color-scheme:light dark;${declared(light)}}
@media screen and (prefers-color-scheme:dark){:root{${declared(dark)}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.55 system-ui,sans-serif}
header,nav,main,footer{max-width:64rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2.5rem}
footer{padding-bottom:3rem;color:var(--quiet)}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .5rem}
h2{font-size:1.4rem;line-height:1.25;margin:2.75rem 0 .5rem;padding-top:1rem;border-top:2px solid var(--line)}
h3{font-size:1.1rem;margin:1.75rem 0 .5rem}
p{margin:.5rem 0;max-width:46rem}
a{color:inherit}
a:focus-visible{outline:3px solid currentcolor;outline-offset:2px}
.verdict{font-size:1.15rem;font-weight:600;background:var(--panel);border-left:.4rem solid currentcolor;padding:.75rem 1rem}
.good{color:var(--good)}
.fair{color:var(--fair)}
.bad{color:var(--bad)}
.quiet{color:var(--quiet)}
.word{font-weight:600;white-space:nowrap}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;padding:0;margin:1rem 0 0}
table{width:100%;border-collapse:collapse;margin:.75rem 0 1.25rem;font-size:.94rem}
caption{text-align:left;color:var(--quiet);padding:0 0 .4rem}
th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
thead th{border-bottom:2px solid var(--line)}
tbody th{font-weight:600}
tbody th.number{font-weight:400}
th[scope=rowgroup]{background:var(--panel);padding-top:.6rem}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
thead .number{white-space:normal}
h1,h2,h3,p,li,a,caption{overflow-wrap:anywhere}
thead th,.word{overflow-wrap:normal}
td p{margin:.15rem 0}
dl{display:grid;grid-template-columns:minmax(8rem,max-content) 1fr;gap:.3rem 1.25rem;margin:.75rem 0}
dt{color:var(--quiet)}
dd{margin:0;overflow-wrap:anywhere}
meter{width:8rem;height:.8rem;vertical-align:middle}
@media (max-width:36rem){header,nav,main,footer{padding-left:.9rem;padding-right:.9rem}table{display:block;overflow-x:auto;font-size:.86rem}th,td{padding:.35rem .3rem}tbody th[scope=row]:not(.number){min-width:6.5rem}.word{white-space:normal}dl{grid-template-columns:1fr}dd{margin:0 0 .5rem}}
@media print{
:root{color-scheme:light}
body{font-size:10pt}
header,nav,main,footer{max-width:none;padding:0}
nav{display:none}
h2,h3,caption,th[scope=rowgroup]{break-after:avoid}
thead{display:table-header-group}
tr{break-inside:avoid}
.verdict,th[scope=rowgroup]{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
@page{margin:16mm}
`
