// Whether instances can be given a way out on this machine: pasta is there, may open what it makes interfaces of, and there is
// somebody to ask for names. What is missing costs "net.egress" alone; everything else runs without.
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { execa } from 'execa'
import type { Identity, Probe } from '../adapter.ts'
import { readLayout } from './layout.ts'
import { noResolver, pasta } from './pasta.ts'
import { installFix } from './program.ts'

type Lost = Probe['lost'][number]

/** Empty when nothing is missing. */
export const lostUplink = async (isRoot: boolean, identity: Identity | undefined): Promise<readonly Lost[]> => {
  const told = isRoot ? await problemWithUplink(identity) : onlyRoot
  return told === undefined ? [] : [{ capability: 'net.egress', ...told }]
}

type Told = Omit<Lost, 'capability'>

/** setns(2) wants CAP_SYS_ADMIN in the launcher's own user namespace too, whoever owns the network. */
const onlyRoot: Told = {
  reason: "only root can enter a network of the instance's own, to close private networks and this machine in it",
  fix: 'start tenement as root',
}

const problemWithUplink = async (identity: Identity | undefined): Promise<Told | undefined> =>
  (await problemWithPasta()) ?? (await problemWithTun(identity)) ?? problemWithNames()

const problemWithPasta = async (): Promise<Told | undefined> => {
  const isThere = await access(pasta, constants.X_OK).then(
    () => true,
    () => false,
  )
  return isThere
    ? undefined
    : { reason: `pasta is not installed: there is no program ${pasta}`, fix: await installFix('passt') }
}

const tun = '/dev/net/tun'

/** udev opens it to everybody, and devices made by hand are root's. To make an interface of it takes rights in a network of one's own. */
const problemWithTun = async (identity: Identity | undefined): Promise<Told | undefined> => {
  const { failed, stderr, shortMessage } = await execa('/bin/sh', ['-c', `: <>${tun}`], {
    env: {},
    extendEnv: false,
    cwd: '/',
    reject: false,
    timeout: 5_000,
    ...identity,
  })
  if (!failed) return undefined
  const who = identity === undefined ? 'this user' : `uid ${identity.uid}`
  return {
    // A shell writes its name, the line, what it was about, and the reason.
    reason: `${who} cannot open ${tun}, which pasta needs: ${stderr.split(': ').at(-1) || shortMessage}`,
    fix: `modprobe tun, and chmod 0666 ${tun}`,
  }
}

const problemWithNames = (): Told | undefined => (readLayout().resolvers.length > 0 ? undefined : noResolver)
