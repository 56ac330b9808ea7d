// The servers that have to work under the profiles: how each is started, and what its answer is. Paths are those inside:
// /srv holds test/fixtures/seccomp, /mnt is the server's own.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Server {
  readonly name: string
  /** Programs of the machine that it needs, by absolute path, with the Debian package they come from. */
  readonly needs: Readonly<Record<string, string>>
  readonly argv: (port: number) => readonly string[]
  /** Brings what it needs into the directory it finds as /mnt. */
  readonly prepare?: (data: string, port: number) => void
  readonly answer: string
}

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/seccomp/servers/${name}`, import.meta.url))

const go = ['/usr/local/go/bin/go', '/usr/bin/go'].find((path) => existsSync(path)) ?? '/usr/bin/go'

const buildGo = (data: string): void => {
  execFileSync(go, ['build', '-o', join(data, 'server'), fixture('main.go')], {
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: 'pipe',
  })
}

const configureNginx = (data: string, port: number): void => {
  writeFileSync(
    join(data, 'nginx.conf'),
    readFileSync(fixture('nginx.conf'), 'utf8').replaceAll('@PORT@', String(port)),
  )
}

export const servers: readonly Server[] = [
  {
    name: 'Node with workers and child processes',
    needs: {},
    argv: () => [process.execPath, '/srv/servers/node.mjs'],
    answer: '42 child seen true packed',
  },
  {
    name: 'Python with threads, sqlite and subprocess',
    needs: { '/usr/bin/python3': 'python3' },
    argv: () => ['/usr/bin/python3', '/srv/servers/python.py'],
    answer: '285 1 child 14',
  },
  {
    name: 'gunicorn',
    needs: { '/usr/bin/gunicorn': 'gunicorn' },
    argv: (port) => ['/usr/bin/gunicorn', '-w', '2', '-b', `127.0.0.1:${port}`, '--chdir', '/srv/servers', 'wsgi:app'],
    answer: 'gunicorn worker',
  },
  {
    name: 'Go',
    needs: { [go]: 'golang-go' },
    prepare: buildGo,
    argv: () => ['/mnt/server'],
    answer: '4950 child file',
  },
  {
    name: 'Java',
    needs: { '/usr/bin/java': 'default-jre-headless', '/usr/bin/javac': 'default-jdk-headless' },
    prepare: (data) => execFileSync('/usr/bin/javac', ['-d', data, fixture('Server.java')], { stdio: 'pipe' }),
    argv: () => ['/usr/bin/java', '-cp', '/mnt', 'Server'],
    answer: '4950 child0 file',
  },
  {
    name: 'Ruby',
    needs: { '/usr/bin/ruby': 'ruby' },
    argv: () => ['/usr/bin/ruby', '/srv/servers/ruby.rb'],
    answer: '14 child forked 0',
  },
  {
    name: 'PHP',
    needs: { '/usr/bin/php': 'php-cli' },
    argv: (port) => ['/usr/bin/php', '-S', `127.0.0.1:${port}`, '/srv/servers/php.php'],
    answer: 'child locked paired',
  },
  {
    name: 'Perl',
    needs: { '/usr/bin/perl': 'perl' },
    argv: () => ['/usr/bin/perl', '/srv/servers/perl.pl'],
    answer: 'child locked',
  },
  {
    name: 'nginx',
    needs: { '/usr/sbin/nginx': 'nginx-light' },
    prepare: configureNginx,
    argv: () => ['/usr/sbin/nginx', '-c', '/mnt/nginx.conf', '-e', 'stderr'],
    answer: 'served by a worker\n',
  },
]

/** Why a server cannot be tried here; undefined where it can. */
export const missing = ({ needs }: Pick<Server, 'needs'>): string | undefined => {
  const absent = Object.entries(needs).filter(([path]) => !existsSync(path))
  if (absent.length === 0) return undefined
  return `needs ${absent.map(([path]) => path).join(' and ')}: apt-get install ${absent.map(([, name]) => name).join(' ')}`
}
