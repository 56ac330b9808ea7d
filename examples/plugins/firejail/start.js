// What runs in the sandbox first: a script that looks whether there is one, becomes the tenant, and then its program. It comes by a
// descriptor, since everybody on the machine reads command lines (proc(5)). Until it becomes the tenant it is root, with nothing but
// what it takes to become another.

/** What the script comes by; the program does not find it. */
export const startFd = 4

/** The command in the sandbox: nothing of firejail's environment is the program's. */
export const starter = ['/usr/bin/env', '-i', '/bin/sh', `/proc/self/fd/${startFd}`]

/** What a shell reads as this very text. */
const quoted = (/** @type {string} */ text) => `'${text.replaceAll("'", `'\\''`)}'`

/**
 * firejail executes a program without any sandbox where it takes the machine for a sandbox, such as in a container. Root's processes
 * there would have all their capabilities, and the machine's namespaces.
 *
 * @param {string} network the machine's, as /proc/self/ns/net names it
 */
const guard = (network) => `
if [ "$(/usr/bin/readlink /proc/self/ns/net)" = ${quoted(network)} ] || ! /usr/bin/grep -q '^Seccomp:.2$' /proc/self/status; then
  echo 'firejail made no sandbox' >&2; exit 125
fi`

/**
 * @param {{ argv: readonly string[], env: Readonly<Record<string, string>>, cwd: string, umask: number, uid: number, gid: number,
 *   isListening: boolean, network: string }} start
 */
export const startFor = ({ argv, env, cwd, umask, uid, gid, isListening, network }) => {
  const become = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--inh-caps=-all', '--bounding-set=-all']
  return [
    guard(network),
    'unset PWD OLDPWD SHLVL _',
    ...Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}`),
    ...(isListening ? ['export LISTEN_PID=$$'] : []),
    `umask ${umask.toString(8)}`,
    `cd ${quoted(cwd)} || exit 126`,
    `exec /usr/bin/setpriv ${become.join(' ')} -- ${argv.map(quoted).join(' ')} ${startFd}<&-`,
    '',
  ].join('\n')
}
