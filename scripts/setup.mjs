// What `npm start` and `npm test` run first, on a machine that has nothing but Node and npm: brings packages, build and
// examples up to date, and does nothing when they are. It starts on any Node with ES modules, so that an old one gets a
// sentence instead of a syntax error: everything else is imported after that check.

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`tenement needs Node 20.19 or newer, and this is ${process.version} (${process.execPath})`)
  console.error('→ install a newer one (https://nodejs.org/en/download), then run the same command again')
  process.exit(1)
}
if (process.platform !== 'linux') {
  console.error(`tenement runs on Linux, and this is ${process.platform}`)
  console.error('→ run it on a Linux server, in a virtual machine or in a container')
  process.exit(1)
}

const { setUp } = await import('./setup/steps.mjs')
const { SetupError } = await import('./setup/report.mjs')

const purpose = process.argv[2] ?? 'start'
try {
  // Written files must be readable by the users tenants run as, whatever the umask of whoever runs this.
  process.umask(0o022)
  setUp(purpose)
} catch (thrown) {
  if (!(thrown instanceof SetupError)) throw thrown
  console.error(`setup: ${thrown.message}`)
  console.error(`→ ${thrown.fix}`)
  process.exitCode = 1
}
