import { describe, expect, it } from 'vitest'
import { defaultDirectories } from '../../../src/config/directories.ts'

const surroundings = { env: {}, cwd: '/', home: '/home/ada', isRoot: false, processors: 1 }

describe('without a word in the file tenement keeps things', () => {
  it('in the places of the system when it is root', () => {
    expect(defaultDirectories({ ...surroundings, isRoot: true, env: { XDG_STATE_HOME: '/elsewhere' } })).toEqual({
      dataDir: '/var/lib/tenement/data',
      stateDir: '/var/lib/tenement/state',
      runDir: '/run/tenement',
      logDir: '/var/log/tenement',
    })
  })

  it('below the home of anybody else', () => {
    expect(defaultDirectories(surroundings)).toEqual({
      dataDir: '/home/ada/.local/share/tenement/data',
      stateDir: '/home/ada/.local/state/tenement',
      runDir: '/home/ada/.local/state/tenement/run',
      logDir: '/home/ada/.local/state/tenement/log',
    })
  })

  it('where the XDG variables say, unless they are relative', () => {
    const env = { XDG_DATA_HOME: '/d', XDG_STATE_HOME: '/s', XDG_RUNTIME_DIR: '/r', XDG_CONFIG_HOME: '/c' }
    expect(defaultDirectories({ ...surroundings, env })).toEqual({
      dataDir: '/d/tenement/data',
      stateDir: '/s/tenement',
      runDir: '/r/tenement',
      logDir: '/s/tenement/log',
    })
    expect(defaultDirectories({ ...surroundings, env: { XDG_STATE_HOME: 's', XDG_DATA_HOME: '' } })).toEqual(
      defaultDirectories(surroundings),
    )
  })

  it('where systemd says, the first of several', () => {
    const env = { STATE_DIRECTORY: '/var/lib/t:/var/lib/u', RUNTIME_DIRECTORY: '/run/t', LOGS_DIRECTORY: '/var/log/t' }
    expect(defaultDirectories({ ...surroundings, isRoot: true, env })).toEqual({
      dataDir: '/var/lib/t/data',
      stateDir: '/var/lib/t/state',
      runDir: '/run/t',
      logDir: '/var/log/t',
    })
  })

  it('with sockets and output below a state_dir that is written', () => {
    expect(defaultDirectories(surroundings, '/mine')).toMatchObject({
      stateDir: '/mine',
      runDir: '/mine/run',
      logDir: '/mine/log',
    })
  })
})
