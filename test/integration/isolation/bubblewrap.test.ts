import { chmodSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { namespace } from '../../../src/isolation/namespace/index.ts'
import { sandbox } from '../../../src/isolation/sandbox/index.ts'
import { startTestLauncher, type TestLauncher } from '../../helpers/launcher.ts'
import { environmentOf } from '../../helpers/processes.ts'
import { isRoot } from '../../helpers/root.ts'
import { newTenantUids } from '../../helpers/tenantUids.ts'
import { allowAll, type Inside, insideOf, makeDirectory, shippedFilter } from './inside.ts'

let launcher: TestLauncher
let inside: Inside
const place = (name: string): string => join(launcher.root, name)

beforeAll(async () => {
  const granted = makeGranted()
  launcher = await startTestLauncher({
    root: granted.root,
    policy: {
      ...(isRoot ? { tenantUids: newTenantUids(100) } : {}),
      grants: {
        api: {
          read: [{ path: join(granted.root, 'read') }, { path: join(granted.root, 'one.txt') }],
          write: [{ path: join(granted.root, 'write') }],
          secrets: { key: join(granted.root, 'key') },
        },
      },
    },
  })
  inside = insideOf(launcher, sandbox, await shippedFilter('default'))
})
afterAll(() => launcher.close())

const makeGranted = (): { readonly root: string } => {
  // Below /var/lib rather than /tmp: what lies in a folder that everybody may write is no grant.
  const root = join(isRoot ? '/var/lib' : (process.env.HOME ?? '/var/empty'), `tenement-test-${process.pid}`)
  makeDirectory(root)
  chmodSync(root, 0o711)
  writeFileSync(join(makeDirectory(join(root, 'read')), 'text'), 'granted')
  writeFileSync(join(root, 'one.txt'), 'one file')
  chmodSync(makeDirectory(join(root, 'write')), 0o777)
  writeFileSync(join(root, 'key'), 'hunter2', { mode: 0o600 })
  writeFileSync(join(root, 'beside'), 'not granted')
  return { root }
}

const granted = (): {
  readonly read: readonly { path: string; source: string }[]
  readonly write: readonly { path: string; source: string }[]
} => ({
  read: [place('read'), place('one.txt')].map((path) => ({ path, source: path })),
  write: [{ path: place('write'), source: place('write') }],
})

describe('an instance under bubblewrap', () => {
  test('is attested whole: every namespace, every mount, its filter and its descriptors', async () => {
    const { found, exit } = await inside.run('sleep 0.2')
    expect(exit).toMatchObject({ code: 0 })
    expect(Object.keys(found)).toEqual(
      expect.arrayContaining([
        ...['user.ns', 'pid.private', 'fs.privateRoot', 'ipc.private', 'uts.private', 'cgroup.private', 'net.private'],
        ...['user.idMap', 'caps.none', 'priv.noNew', 'core.none', 'fs.readOnlyRoot', 'syscalls.filtered', 'fd.clean'],
      ]),
    )
  })

  test('is attested whole with grants, secrets and every way to be reached', async () => {
    const run = inside.newRun()
    const socket = join(launcher.policy.runDir, 's', `${run}.sock`)
    const over = { ...granted(), secrets: ['key'], reach: { kind: 'fd', socket } } as const
    const { found } = await inside.run('sleep 0.2', over, run)
    expect(found['fd.clean']).toBe('descriptors 0 1 2 3')
    expect(found['fs.readOnlyRoot']).toContain(place('write'))
    expect(found['fs.readOnlyRoot']).not.toContain(place('read'))
  })

  test('finds of the machine only what every instance finds, and nobody else', async () => {
    const { out, plan } = await inside.run('ls / /etc; ls -d /home /root /sys /var/lib/* 2>&1; ps -e -o pid= -o comm=')
    const words = out.split(/\s+/)
    expect(words).not.toContain('shadow')
    expect(out).not.toContain('beside')
    // Without root what is granted lies in a home, and so do the folders on the way to it.
    for (const absent of ['/root', '/sys', ...(isRoot ? ['/home'] : [])])
      expect(out).toContain(`'${absent}': No such file or directory`)
    expect(out.match(/^\s*\d+ \w+$/gm)?.map((line) => line.trim().split(' ')[1])).toEqual(['bwrap', 'sh', 'ps'])
    expect((await inside.run(`ls ${join(plan.dataDir, '..')} ${launcher.root}`, granted())).out).not.toContain('beside')
  })

  test('can write its data, /tmp, /run and /dev/shm, and nothing else', async () => {
    const { out } = await inside.run(
      'for d in / /usr /etc /dev /proc/sys/kernel . /var "$HOME" /tmp /var/tmp /run /dev/shm; do touch $d/x 2>/dev/null && echo "wrote $d"; done; cp /bin/true /usr/bin/sh; echo x > /etc/passwd; rm /etc/hosts; mv /etc /tmp/etc',
    )
    const { dataDir } = (await inside.run('true')).plan
    const data = dataDir.replace(/\d+$/, '')
    expect(
      out
        .split('\n')
        .filter((line) => line.startsWith('wrote'))
        .map((line) => line.replace(/(tenant)\d+$/, '$1')),
    ).toEqual([data, '/tmp', '/var/tmp', '/run', '/dev/shm'].map((path) => `wrote ${path}`))
    expect(out.match(/Read-only file system|Device or resource busy/g)?.length).toBeGreaterThanOrEqual(3)
  })

  test('fills its own /tmp to tmp_size and no further, and the other places it may write as little', async () => {
    const fill = (path: string): string =>
      `dd if=/dev/zero of=${path}/fill bs=64k 2>&1 | tail -1; stat -c %s ${path}/fill`
    const { out } = await inside.run(`${fill('/tmp')}; ${fill('/run')}; ${fill('/dev/shm')}`, {
      limits: { tmpBytes: 262_144 },
    })
    const sizes = out.match(/^\d+$/gm)?.map(Number)
    // /run holds the launcher's mark too.
    expect(sizes).toEqual([
      262_144,
      expect.toSatisfy((size: number) => size > 1_000_000 && size <= 1024 ** 2),
      64 * 1024 ** 2,
    ])
  })

  test('opens no file of /proc that tells of the machine, and writes none of it', async () => {
    const { out } = await inside.run(
      'for f in kallsyms kcore keys key-users kmsg timer_list interrupts; do [ -e /proc/$f ] && cat /proc/$f >/dev/null 2>&1 && echo "read $f"; done; ls -A /proc/acpi; find /proc/sys /proc/sysrq-trigger /proc/irq /proc/bus /proc/fs -writable -type f; (: > /proc/sys/kernel/ns_last_pid) 2>&1; cat /proc/version',
    )
    expect(out).not.toMatch(/^read /m)
    expect(out).not.toMatch(/^\/proc/m)
    expect(out).toContain('Read-only file system')
    expect(out).toContain('Linux version')
  })

  test('has exactly the environment of its plan, and the folder it is in', async () => {
    const env = { PATH: '/usr/bin:/bin', GREETING: 'two words', EMPTY: '', '--bind': 'x' }
    const { plan } = await inside.run('true')
    const { out } = await inside.run('tr "\\0" "\\n" < /proc/self/environ; true', {
      env: { ...env, HOME: plan.dataDir },
      instance: plan.instance,
      dataDir: plan.dataDir,
      identity: plan.identity,
    })
    expect(out.trim().split('\n').sort()).toEqual(
      [
        ...Object.entries({ ...env, HOME: plan.dataDir, PWD: launcher.code }).map(
          ([name, value]) => `${name}=${value}`,
        ),
      ].sort(),
    )
  })

  test('learns nothing of what bubblewrap was started with, and no more does the machine', async () => {
    const { out } = await inside.run(
      'wc -c < /proc/1/environ; tr "\\0" " " < /proc/1/cmdline; echo; ls -l /proc/1/fd',
      {
        ...granted(),
        secrets: ['key'],
      },
    )
    const [bytes, command] = out.split('\n')
    expect(bytes).toBe('0')
    expect(command).toMatch(/^\/usr\/bin\/bwrap --args \d+ -- \/bin\/sh -c /)
    expect(command).not.toContain(launcher.root)
    expect(out).not.toMatch(/memfd|pipe:.*\/proc|\/data/)
  })

  test('shows the machine neither environment nor secrets on any command line', async () => {
    const plan = inside.planFor(['/usr/bin/sleep', '60'], { env: { TOKEN: 'in-the-environment' }, secrets: ['key'] })
    const run = inside.newRun()
    const answer = await inside.launch(plan, run)
    expect(answer.type).toBe('reply')
    const pid: number = answer.value.pid
    const all = `${readFileSync(`/proc/${pid}/cmdline`, 'latin1')}${environmentOf(pid).join()}`
    expect(all).not.toMatch(/in-the-environment|hunter2/)
    await launcher.ask({ type: 'stop', run, signal: 'SIGKILL', timeoutMs: 0 })
  })

  test('is held to its limits, also where root may not set those of others', async () => {
    // A bound on processes needs a cgroup, which only root has on every machine.
    const limits = isRoot ? { openFiles: 64, processes: 50 } : { openFiles: 64 }
    const { out } = await inside.run('cat /proc/self/limits; ulimit -n 65 || echo kept', { limits })
    const limitOf = (name: string): string | undefined => new RegExp(`^${name} +(\\d+) +\\1 `, 'm').exec(out)?.[1]
    expect(
      ['open files', 'locked memory', 'core file size', 'nice priority'].map((name) => limitOf(`Max ${name}`)),
    ).toEqual(['64', '65536', '1', '0'])
    if (isRoot) expect(limitOf('Max processes')).toBe('52')
    expect(out.trim()).toMatch(/kept$/)
  })

  test('has open what it was given and nothing else', async () => {
    // The shell writes to the file its output was led to; ls opens the directory it lists.
    expect((await inside.run('ls /proc/$$/fd')).out).toBe('0\n1\n2\n')
  })

  test('is called by its id, is one user among one, and has a pid of its own', async () => {
    const { out, plan } = await inside.run(
      'hostname; id -un; id -u; id -G; echo $$; tr -s " " < /proc/self/uid_map; cat /etc/hostname',
    )
    const id = plan.instance.split(':')[1]
    // Without root nobody can give up the further groups of whoever started tenement: they have no name inside (65534).
    const groups = isRoot ? /^1000$/ : /^1000( 65534)*$/
    const [called, user, uid, group, ...rest] = out.split('\n').map((line) => line.trim())
    expect([called, user, uid, ...rest]).toEqual([id, 'tenant', '1000', '2', '1000 0 1', id, ''])
    expect(group).toMatch(groups)
  })

  test('finds localhost and itself by name, in Node and in Python, and its home', async () => {
    const { out, plan } = await inside.run(
      `node -e 'const d=require("node:dns").promises; Promise.all(["localhost",require("node:os").hostname()].map((n)=>d.lookup(n,4))).then((a)=>console.log(a.map((x)=>x.address).join(" ")))'; /usr/bin/python3 -c 'import socket,os,pwd; print(socket.gethostbyname("localhost"), socket.gethostbyname(socket.gethostname()), pwd.getpwuid(os.getuid()).pw_dir, socket.getservbyname("https"))'`,
    )
    expect(out).toBe(`127.0.0.1 127.0.1.1\n127.0.0.1 127.0.1.1 ${plan.dataDir} 443\n`)
  })

  test('reads and writes what it was granted, and nothing beside it', async () => {
    const { out } = await inside.run(
      `cat ${place('read')}/text ${place('one.txt')}; echo; echo w > ${place('write')}/w && echo written; touch ${place('read')}/x; echo x > ${place('one.txt')}; cat ${place('beside')}; ls ${launcher.root}`,
      granted(),
    )
    expect(out).toContain('grantedone file')
    expect(out).toContain('written')
    expect(readFileSync(join(place('write'), 'w'), 'utf8')).toBe('w\n')
    expect(out.match(/Read-only file system/g)).toHaveLength(2)
    expect(out).toContain('beside: No such file or directory')
    expect(readFileSync(place('one.txt'), 'utf8')).toBe('one file')
  })

  test('reads its secrets, which it can neither change nor replace', async () => {
    const { out } = await inside.run(
      'cat /run/secrets/key; echo; stat -c %a /run/secrets /run/secrets/key; chmod 600 /run/secrets/key; echo x > /run/secrets/key; touch /run/secrets/x; rm -f /run/secrets/key; mv /run/secrets /run/old; cat /run/secrets/key',
      { secrets: ['key'] },
    )
    expect(out).toMatch(/^hunter2\n500\n400\n/)
    expect(out).toMatch(/hunter2$/)
    expect(out).toMatch(/Device or resource busy/)
  })

  test.each([
    ['', {}],
    [', also where no filter keeps it from them', { filter: allowAll }],
  ])('cannot make namespaces of its own%s', async (_, over) => {
    const { out } = await inside.run(
      'for n in U m p n u i C; do unshare -$n true 2>&1 && echo "made $n"; done; unshare -Ur true && echo made',
      over,
    )
    expect(out).not.toContain('made')
    expect(out.match(/unshare failed/g)).toHaveLength(8)
  })

  test('has a network in which there is nobody else', async () => {
    const { out } = await inside.run(
      'cat /proc/net/dev | tail -n +3 | cut -d: -f1; cat /proc/net/route | tail -n +2; cat /proc/net/unix | tail -n +2',
    )
    expect(out.trim()).toBe('lo')
  })

  test('makes a socket that the machine finds in its directory', async () => {
    const run = inside.newRun()
    const socket = join(launcher.policy.runDir, 'u', run, 'app.sock')
    const script = `/usr/bin/python3 -c 'import socket; s=socket.socket(socket.AF_UNIX); s.bind("${socket}")'; stat -c "%F %a" ${socket}`
    const { out } = await inside.run(script, { reach: { kind: 'unix', socket } }, run)
    expect(out.trim()).toBe('socket 770')
  })

  test('is told its own pid with the socket it inherits', async () => {
    const run = inside.newRun()
    const socket = join(launcher.policy.runDir, 's', `${run}.sock`)
    const { out } = await inside.run(
      'echo "$LISTEN_PID $$"; readlink /proc/self/fd/3',
      { reach: { kind: 'fd', socket } },
      run,
    )
    expect(out).toMatch(/^2 2\nsocket:\[\d+\]\n$/)
  })

  test('is refused when its data directory leads elsewhere', async () => {
    const plan = inside.planFor(['/bin/true'])
    makeDirectory(join(plan.dataDir, '..'))
    symlinkSync('/etc', plan.dataDir)
    expect(await inside.launch(plan)).toMatchObject({ type: 'failed', message: expect.stringContaining('symlink') })
    rmSync(plan.dataDir)
  })

  test('starts anew over whatever it left in its data, and what it planted leads nowhere', async () => {
    const { plan } = await inside.run(
      `ln -s /oldroot/${launcher.root}/write "$HOME/sub"; ln -s / "$HOME/root"; mkfifo "$HOME/fifo"`,
    )
    const { exit } = await inside.run('touch "$HOME/sub/planted" "$HOME/root/planted"', {
      instance: plan.instance,
      dataDir: plan.dataDir,
      identity: plan.identity,
    })
    expect(exit.code).not.toBe(0)
    expect(() => readFileSync(join(place('write'), 'planted'))).toThrow('ENOENT')
  })
})

describe('an instance of "namespace"', () => {
  let permissive: Inside
  beforeAll(async () => {
    permissive = insideOf(launcher, namespace, await shippedFilter('permissive'))
  })

  test("shares the machine's network unless it asks for one of its own", async () => {
    const lines = readFileSync('/proc/net/dev', 'utf8').split('\n').length - 1
    const reach = { kind: 'port', port: 20_001, network: 'host' } as const
    const { out } = await permissive.run('wc -l < /proc/net/dev; cat /etc/resolv.conf', { network: 'host', reach })
    expect(out).toBe(`${lines}\n${readFileSync('/etc/resolv.conf', 'utf8')}`)
    expect((await permissive.run('wc -l < /proc/net/dev')).out).toBe('3\n')
  })

  test('makes namespaces of its own only where it is nested, with the filter for it', async () => {
    const script = 'unshare -Ur id -u 2>&1'
    const filter = await shippedFilter('nested')
    expect((await permissive.run(script)).out).toContain('unshare failed')
    expect((await permissive.run(script, { filter })).out).toContain('No space left on device')
    expect((await permissive.run(script, { filter, options: { nested: true } })).out).toBe('0\n')
  })
})
