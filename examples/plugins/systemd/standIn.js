// The process that the launcher starts, signals and waits for, in the place of one that systemd starts elsewhere. A shell, so that an
// instance costs little: it passes signals on, and ends as the unit ended. It is root's; the program in the unit is not.

/** What the unit executes comes by this descriptor. */
export const startFd = 4

// - systemd reads EnvironmentFile= from this process: where that was killed meanwhile there is nothing to read, and the unit does not
//   start. Only root may go there (proc(5), /proc/PID/fd), and no command line and no question to systemd shows what was read.
// - The socket travels as standard input: of --pipe, systemd passes on three descriptors and no others. It is named, since a shell gives
//   what runs in the background nothing to read otherwise.
// - No "$" in the command of the unit: systemd would put its own there (systemd.service(5), "Command lines"), some versions would not.
// - `kill -0` tells a wait that a signal interrupted from one that is over.
// - systemd-run tells of no signal, a failed unit does until it is reset. One that was killed from outside counts as none, since the
//   launcher then kills this process too, and nobody would reset it.
const script = `
unit=tenement-$TENEMENT_RUN.service
tell() { systemctl kill --kill-whom=main --signal="$1" "$unit" 2>/dev/null || leave "$1"; }
leave() { kill -TERM "$run"; systemctl stop "$unit" 2>/dev/null; end "$1"; }
end() { trap - "$1"; ulimit -c 0; kill -"$1" $$; }
ask() { systemctl show --value --property="$1" "$unit"; }
for signal in HUP INT QUIT TERM USR1 USR2; do trap "tell $signal" "$signal"; done
systemd-run --quiet --wait --pipe --unit="$unit" --property=SuccessExitStatus=SIGKILL \\
  --property="EnvironmentFile=/proc/$$/fd/${startFd}" "$@" \\
  /bin/sh -c 'umask 077; printenv TENEMENT_START >/run/start && exec env -i /bin/sh /run/start' <&3 3<&- ${startFd}<&- &
run=$!
exec 3<&-
while kill -0 "$run" 2>/dev/null; do wait "$run"; code=$?; done
[ "$code" -ne 0 ] || exit 0
how=$(ask Result) status=$(ask ExecMainStatus)
systemctl reset-failed "$unit" 2>/dev/null
case $how in
  oom-kill) end KILL ;;
  signal | core-dump) end "$status" ;;
esac
exit "$code"
`

/** @param {readonly string[]} properties @param {boolean} isListening @returns {[string, ...string[]]} */
export const standInFor = (properties, isListening) => {
  const given = properties.map((property) => `--property=${property}`)
  return ['/bin/sh', '-c', `${isListening ? '' : 'exec 3</dev/null'}\n${script}`, 'tenement-unit', ...given]
}

/** What a shell reads as this very text. */
const quoted = (/** @type {string} */ text) => `'${text.replaceAll("'", `'\\''`)}'`

/** Who there is inside, and what localhost is, which many programs ask for. */
const accounts = (/** @type {number} */ uid) => ({
  passwd: `root:x:0:0::/:/usr/sbin/nologin\ntenant:x:${uid}:${uid}::/:/bin/sh`,
  group: `root:x:0:\ntenant:x:${uid}:`,
  hosts: '127.0.0.1 localhost\n::1 localhost',
})

/**
 * The file that systemd reads: one variable with a script, which becomes the tenant and then its program, with its own environment and
 * nothing of systemd's. Until then it is root, with nothing but what it takes to become another.
 *
 * @param {{ argv: readonly string[], env: Readonly<Record<string, string>>, cwd: string, umask: number, uid: number, isListening: boolean }} start
 */
export const startFor = ({ argv, env, cwd, umask, uid, isListening }) => {
  const become = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--inh-caps=-all', '--bounding-set=-all']
  const script = [
    ...Object.entries(accounts(uid)).map(([file, text]) => `echo ${quoted(text)} >/etc/${file}`),
    ...Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}`),
    'chmod 0644 /etc/passwd /etc/group /etc/hosts',
    ...(isListening ? ['export LISTEN_PID=$$'] : []),
    `umask ${umask.toString(8)}`,
    `cd ${quoted(cwd)} || exit 126`,
    `exec /usr/bin/setpriv ${become.join(' ')} -- ${argv.map(quoted).join(' ')}${isListening ? ' 3<&0' : ''} </dev/null`,
  ].join('\n')
  // Between double quotes these four alone have a meaning, which a backslash takes from them (systemd.exec(5), EnvironmentFile=).
  return `TENEMENT_START="${script.replace(/["\\$`]/g, '\\$&')}"\n`
}
