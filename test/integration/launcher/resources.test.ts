import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { probeResources } from '../../../src/cgroups/probe.ts'
import type { Launch } from '../../../src/isolation/adapter.ts'
import { type Message, newRunName, startTestLauncher, type TestLauncher } from '../../helpers/launcher.ts'
import { isRoot, testAsRoot } from '../../helpers/root.ts'

describe('a launch with bounds', () => {
  let launcher: TestLauncher
  beforeEach(async () => {
    launcher = await startTestLauncher()
  })
  afterEach(() => launcher.close())

  const exitOf = async (script: string, over: Partial<Launch>): Promise<Message> => {
    const run = newRunName()
    const launch = launcher.launchOf({ argv: ['/bin/sh', '-c', script], ...over })
    const answer = await launcher.ask({
      type: 'launch',
      run,
      service: 'api',
      id: 'a',
      launch,
      watch: false,
      note: null,
    })
    expect(answer).toMatchObject({ type: 'reply' })
    return (await launcher.next((message) => message.type === 'exited' && message.run === run)).exit
  }

  const canBound = isRoot && Object.values(probeResources()).every((found) => found === 'enforced')
  const testBounded = (name: string, run: () => Promise<void>): void =>
    test(name, async ({ skip }) => {
      if (!canBound) skip('no cgroup here that tenement may use: only root has one on every machine')
      await run()
    })

  testBounded('that needs more memory than it may have is ended, and its end says so', async () => {
    const exit = await exitOf('head -c 200000000 /dev/zero | tail | wc -c; exit 0', {
      resources: { memoryBytes: 30_000_000 },
    })
    expect(exit).toMatchObject({ outOfMemory: true })
  })

  testBounded('that starts more processes than it may is refused, and its end says how often', async () => {
    const exit = await exitOf('for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait; exit 7', {
      resources: { processes: 4 },
    })
    expect(exit.refusedForks).toBeGreaterThan(0)
    expect(exit.outOfMemory).toBe(false)
  })

  // The loader says so for each program that is executed with the variable: the shell that joins the cgroups holds descriptors
  // opened by root, and whoever has its own code loaded there can put any process of the machine into them.
  testBounded('has its variables for the loader alone, and none of what runs before it', async () => {
    const env = { PATH: '/usr/bin:/bin', LD_PRELOAD: '/no/such/library.so', PLAIN: 'x' }
    const bounds = { resources: { processes: 100 }, limits: { nofile: 200 } }
    const script = 'tr "\\0" "\\n" < /proc/$$/environ | while read -r line; do echo "$line"; done'
    const { lastLines } = await exitOf(script, {
      ...bounds,
      env,
      argv: ['/bin/sh', '-c', `unset LD_PRELOAD; ${script}`],
    })
    expect(lastLines.filter((line: string) => line.includes('cannot be preloaded'))).toHaveLength(1)
    const variables = lastLines.filter((line: string) => /^[A-Z_]+=/.test(line) && !line.startsWith('TENEMENT_RUN='))
    expect(variables.sort()).toEqual(
      Object.entries(env)
        .map(([name, value]) => `${name}=${value}`)
        .sort(),
    )
  })

  testBounded('finds none of the descriptors by which it joined its cgroups', async () => {
    const { lastLines } = await exitOf('exec /bin/ls /proc/self/fd', { resources: { processes: 100 } })
    expect(lastLines).toEqual(['0', '1', '2', '3'])
  })

  testBounded('is not made where a descriptor that joining needs is taken', async () => {
    const path = join(launcher.code, 'note')
    writeFileSync(path, '')
    chmodSync(path, 0o644)
    const descriptors = [4, 5, 6, 7, 8, 9].map((fd) => ({ fd, kind: 'path', path }) as const)
    const launch = launcher.launchOf({ descriptors, resources: { processes: 10 } })
    const run = newRunName()
    expect(
      await launcher.ask({ type: 'launch', run, service: 'api', id: 'a', launch, watch: false, note: null }),
    ).toMatchObject({ type: 'failed', code: 'refused', message: expect.stringContaining('4 to 9') })
  })

  testAsRoot('that keeps more than it may is ended, and its end says where', async () => {
    const data = join(launcher.root, 'data', 'a')
    const exit = await exitOf(`head -c 3000000 /dev/zero > ${data}/big; sleep 60`, {
      directories: [{ path: data, mode: 0o700, owner: 'tenant' }],
      storage: { bytes: 1_000_000, files: 100 },
    })
    expect(exit.endedFor).toBe(`its data directory, "${data}", is too full: it holds more than 1000000 bytes`)
    const logs = join(launcher.policy.logDir, 'api')
    const [log = 'none'] = readdirSync(logs)
    expect(readFileSync(join(logs, log), 'utf8')).toContain(`ended: ${exit.endedFor}`)
    expect(exit).toMatchObject({ signal: 'SIGTERM' })
  })
})
