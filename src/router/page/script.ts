// What the waiting page does where scripts run: it listens to how the wake goes, shows it, and opens the application by loading the page
// again, once. Where events do not come through (a proxy that keeps them back) it asks every two seconds instead.
// Without scripts none of this happens, and the page comes back by its meta refresh.
import { wakePath } from './wakePath.ts'

/** Milliseconds: how long without any event until it asks itself, and how often it does. The server says something every 5 s. */
const patienceMs = 12_000
const pollMs = 2_000

export const script = `
(() => {
  const path = '${wakePath}'
  let isOver = false
  let source
  let silence
  const finish = () => {
    isOver = true
    clearTimeout(silence)
    if (source) source.close()
  }
  const reload = () => {
    if (isOver) return
    finish()
    location.reload()
  }
  const write = (id, text) => {
    const element = document.getElementById(id)
    if (element.textContent !== text) element.textContent = text
  }
  const show = ({ state, title, text, time }) => {
    if (isOver) return
    document.documentElement.dataset.state = state
    document.title = title
    write('title', title)
    write('text', text)
    write('time', time)
    if (state === 'done') reload()
    if (state === 'failed') finish()
  }
  const ask = async () => {
    if (isOver) return
    try {
      const answer = await fetch(path, { cache: 'no-store', headers: { accept: 'application/json' } })
      if (answer.status === 404) return reload()
      if (answer.ok) show(await answer.json())
    } catch {}
    setTimeout(ask, ${pollMs})
  }
  const askInstead = () => {
    if (isOver) return
    clearTimeout(silence)
    source.close()
    ask()
  }
  const listen = () => {
    clearTimeout(silence)
    silence = setTimeout(askInstead, ${patienceMs})
  }
  source = new EventSource(path)
  listen()
  source.onmessage = ({ data }) => {
    listen()
    show(JSON.parse(data))
  }
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) askInstead()
  }
})()
`
