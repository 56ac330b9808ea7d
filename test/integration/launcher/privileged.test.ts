// What may begin as root, and how it ends.
import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, describe, expect } from 'vitest'
import { newRunName, startTestLauncher, type TestLauncher } from '../../helpers/launcher.ts'
import { testAsRoot } from '../../helpers/root.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

let launcher: TestLauncher
afterEach(() => launcher.close())

/** Processes that were started with this word in their environment, each with its uid. */
const processesWith = (word: string): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`WORD=${word}`)) return []
        return [Number(/^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])]
      } catch {
        return [] // it ended meanwhile
      }
    })

const launchAsRoot = (run: string, word: string) => ({
  ...{ type: 'launch', run, service: 'api', id: 'one', watch: false, note: null },
  launch: launcher.launchOf({
    privileged: true,
    // One that leaves the session, and one that becomes the tenant: neither is the process that was started.
    argv: ['/bin/sh', '-c', `setsid sleep 60 & setpriv --reuid=$TENANT --clear-groups sleep 60 & wait`],
    env: { PATH: '/usr/bin:/bin', WORD: word, TENANT: String((launcher.policy.tenantUids?.first ?? 0) + 1) },
  }),
})

describe('a launch that begins as root', () => {
  testAsRoot('is refused for a service that the policy does not name', async () => {
    launcher = await startTestLauncher({ policy: { privileged: ['other'] } })
    const answer = await launcher.ask(launchAsRoot(newRunName(), 'refused'))
    expect(answer).toMatchObject({
      type: 'failed',
      code: 'refused',
      message: expect.stringContaining('api is no service whose instances may begin as root'),
    })
    expect(processesWith('refused')).toEqual([])
  })

  testAsRoot('ends whole, with what stayed root and left its session and with what became the tenant', async () => {
    launcher = await startTestLauncher({ policy: { privileged: ['api'] } })
    const word = `privileged-${process.pid}`
    const run = newRunName()
    expect(await launcher.ask(launchAsRoot(run, word))).toMatchObject({ type: 'reply' })
    const tenant = (launcher.policy.tenantUids?.first ?? 0) + 1
    await waitUntil(() => [0, 0, tenant].every((uid, index) => [...processesWith(word)].sort()[index] === uid))
    await launcher.ask({ type: 'stop', run, signal: 'SIGTERM', timeoutMs: 100 })
    expect(processesWith(word)).toEqual([])
  })
})
