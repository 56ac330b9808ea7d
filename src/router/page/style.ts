// How tenement's own pages look: a horizon, over which a sun rises while an application wakes, and a moon lies where something
// is wrong. Nothing is fetched, and nothing moves for those who asked their system for that.
import { day, declared, night } from './colours.ts'

export const style = `
:root{color-scheme:light dark;${declared(day)}}
@media (prefers-color-scheme:dark){:root{${declared(night)}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;min-height:100vh;display:flex;align-items:center;justify-content:center;background:var(--page);color:var(--text);font:1.0625rem/1.55 system-ui,sans-serif}
main{width:100%;max-width:34rem;padding:2rem 1.5rem 5rem;text-align:center}
.sky{width:9rem;height:4.25rem;margin:0 auto 2.25rem;overflow:hidden;border-bottom:2px solid var(--line)}
.orb{width:4rem;height:4rem;margin:0 auto;border-radius:50%;background:var(--moon);transform:translateY(55%)}
[data-state] .orb{background:var(--sun);animation:rise 3.5s ease-in-out infinite alternate}
[data-state=queued] .orb,[data-state=backoff] .orb,[data-state=paused] .orb{animation-name:doze}
[data-state=done] .orb{animation:none;transform:translateY(6%);transition:transform .6s ease-out}
[data-state=failed] .orb{animation:none;background:var(--moon)}
@keyframes rise{from{transform:translateY(68%)}to{transform:translateY(22%)}}
@keyframes doze{from{transform:translateY(82%)}to{transform:translateY(70%)}}
h1,p{text-wrap:balance}
h1{margin:0 0 .6rem;font-size:1.75rem;line-height:1.25;font-weight:600;letter-spacing:-.01em}
p{margin:0 0 .35rem}
.quiet{color:var(--quiet);min-height:1.55em;font-variant-numeric:tabular-nums}
@media (prefers-reduced-motion:reduce){[data-state] .orb{animation:none;transition:none;transform:translateY(45%)}}
`
