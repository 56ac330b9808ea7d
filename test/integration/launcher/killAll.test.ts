import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Cgroups } from '../../../src/cgroups/cgroups.ts'
import { makeDirectories, makeRunDirectory } from '../../../src/launcher/directories.ts'
import { createNetworks } from '../../../src/launcher/networks.ts'
import type { Exited, Policy } from '../../../src/launcher/protocol.ts'
import type { LaunchRequest } from '../../../src/launcher/run.ts'
import { createRuns, type Runs } from '../../../src/launcher/runs.ts'
import { makeTestCgroups } from '../../helpers/cgroups.ts'
import { makeTemporaryDirectory, newRunName } from '../../helpers/launcher.ts'
import { withCommandLine } from '../../helpers/processes.ts'
import { isRoot } from '../../helpers/root.ts'
import { newTenantUids } from '../../helpers/tenantUids.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

describe('killing every run, as a launcher does before it ends', () => {
  let root: string
  let runs: Runs
  let cgroups: Cgroups
  let exits: Exited[]
  const uids = newTenantUids()

  beforeEach(() => {
    root = makeTemporaryDirectory()
    mkdirSync(join(root, 'code'), { mode: 0o755 })
    const policy: Policy = {
      ...{ runDir: join(root, 'run'), logDir: join(root, 'log'), stateDir: join(root, 'state') },
      ...{
        dataRoots: [join(root, 'data')],
        dataDirs: { api: [join(root, 'data', '/'), ''] },
        codeDirs: [{ path: join(root, 'code') }],
        grants: {},
        floors: { api: {} },
      },
      ...(isRoot ? { tenantUids: uids, serverIdentity: { uid: 699_999, gid: 699_999 } } : {}),
      log: { maxBytes: 200_000, files: 3, bytesPerSecond: 50_000 },
    }
    makeRunDirectory(policy)
    makeDirectories(policy)
    cgroups = makeTestCgroups()
    exits = []
    runs = createRuns({
      ...{ policy, cgroups, networks: createNetworks(), canMount: false },
      onExit: (exited) => exits.push(exited),
      onLines: () => undefined,
      onStored: () => undefined,
      warn: (message, fields) => expect.fail(`${message} ${JSON.stringify(fields)}`),
    })
  })
  afterEach(async () => {
    await runs.killAll()
    cgroups.close()
    rmSync(root, { recursive: true, force: true })
  })

  /** A sleep that is told from all others by what it was given as its name. */
  const request = (mark: string): LaunchRequest => ({
    ...{ type: 'launch', run: newRunName(), service: 'api', id: mark, watch: false, note: null },
    launch: {
      ...{ argv: ['/bin/sh', '-c', 'sleep 60; :', `${mark}-${root}`], env: {}, cwd: join(root, 'code'), umask: 0o077 },
      identity: isRoot ? { uid: uids.first, gid: uids.first } : undefined,
      ...{ directories: [], descriptors: [], limits: {}, resources: {}, depth: 0 },
      reach: { kind: 'port', port: 20_001, network: 'host' },
    },
  })
  const left = (mark: string): number[] => withCommandLine(`${mark}-${root}`)

  test('ends what runs', async () => {
    await runs.launch(request('running'))
    // Besides the shell there is for a moment its copy that becomes the sleep.
    await waitUntil(() => left('running').length === 1)
    await runs.killAll()
    expect(left('running')).toEqual([])
    expect(exits.map(({ id }) => id)).toEqual(['running'])
  })

  test('ends what was being started in that moment', async () => {
    const starting = runs.launch(request('starting')).catch(() => undefined)
    await runs.killAll()
    expect(left('starting')).toEqual([])
    await starting
    expect(left('starting')).toEqual([])
  })

  test('lets nothing be started any more', async () => {
    const killed = runs.killAll()
    await expect(runs.launch(request('late'))).rejects.toThrow('the launcher is ending')
    await killed
    expect(left('late')).toEqual([])
  })
})
