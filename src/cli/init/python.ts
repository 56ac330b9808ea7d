// Python programs: Django by manage.py; others by the server that their requirements name and the object it would serve.
// Servers are run as modules of the interpreter, so that they are those of the virtual environment where there is one.
import { type Folder, firstOf, isPlain } from './folder.ts'
import type { Found } from './found.ts'

const requirementFiles = ['requirements.txt', 'pyproject.toml', 'Pipfile', 'setup.cfg', 'setup.py']
const usualModules = ['app.py', 'main.py', 'wsgi.py', 'asgi.py', 'server.py', 'api.py']
const listen = ['--host', '127.0.0.1', '--port', '{port}']

/** A name of an object in a module that a server can be given. */
interface Served {
  readonly file: string
  /** 'app:app' */
  readonly target: string
  readonly kind: 'asgi' | 'flask' | 'wsgi'
}

const makers = [
  { kind: 'asgi', pattern: /^(\w+)(?:\s*:\s*\w+)?\s*=\s*(?:FastAPI|Starlette|Quart|Litestar)\(/m },
  { kind: 'flask', pattern: /^(\w+)(?:\s*:\s*\w+)?\s*=\s*(?:flask\.)?Flask\(/m },
  { kind: 'flask', pattern: /^def (create_app)\(\s*\)/m, isFactory: true },
  { kind: 'asgi', pattern: /^async def (app|application)\(/m },
  { kind: 'wsgi', pattern: /^(?:def )?(application|app)(?:\s*=|\()/m },
] as const

const findServed = async (folder: Folder): Promise<Served | undefined> => {
  for (const file of usualModules) {
    const text = await folder.text(file)
    if (text === undefined) continue
    for (const maker of makers) {
      const name = maker.pattern.exec(text)?.[1]
      if (name === undefined) continue
      const object = 'isFactory' in maker ? `${name}()` : name
      return { file, target: `${file.slice(0, -'.py'.length)}:${object}`, kind: maker.kind }
    }
  }
  return undefined
}

const needsOf = async (folder: Folder): Promise<(name: string) => boolean> => {
  const texts = await Promise.all(requirementFiles.map((file) => folder.text(file)))
  const all = texts.join('\n').toLowerCase()
  return (name) => new RegExp(`(?:^|["'\\s])${name}(?![\\w-])`, 'm').test(all)
}

/** How an object is served: by the server that is asked for, else by the one that belongs to its framework. */
const commandFor = ({ target, kind }: Served, needs: (name: string) => boolean): Server | undefined => {
  if (kind === 'asgi' && !needs('gunicorn')) return { module: 'uvicorn', args: [target, ...listen] }
  if (kind === 'asgi')
    return {
      module: 'gunicorn',
      args: ['--worker-class', 'uvicorn.workers.UvicornWorker', '--bind', '127.0.0.1:{port}', target],
    }
  if (needs('gunicorn')) return { module: 'gunicorn', args: ['--bind', '127.0.0.1:{port}', target] }
  if (kind === 'flask')
    return { module: 'flask', args: ['--app', target.replace(/:create_app\(\)$/, ''), 'run', ...listen] }
  return undefined
}

interface Server {
  readonly module: string
  readonly args: readonly string[]
}

const settingsModule = /DJANGO_SETTINGS_MODULE["']\s*,\s*["'](\w+)\.settings/

const findDjango = async (folder: Folder, needs: (name: string) => boolean): Promise<Program | undefined> => {
  const manage = await folder.text('manage.py')
  const project = settingsModule.exec(manage ?? '')?.[1]
  if (manage === undefined || !manage.includes('DJANGO_SETTINGS_MODULE')) return undefined
  if (project !== undefined && needs('gunicorn'))
    return {
      because: `manage.py is Django's, and gunicorn is among its requirements`,
      args: ['-m', 'gunicorn', '--bind', '127.0.0.1:{port}', `${project}.wsgi:application`],
      steps: ['have ALLOWED_HOSTS in its settings hold the domain, as in [".localhost"]'],
    }
  return {
    because: `manage.py is Django's; its own server is for development`,
    args: ['manage.py', 'runserver', '--noreload', '127.0.0.1:{port}'],
    steps: ['have ALLOWED_HOSTS in its settings hold the domain, as in [".localhost"]'],
  }
}

/** What the interpreter is given. */
interface Program {
  readonly because: string
  readonly args: readonly string[]
  readonly entry?: string
  readonly steps: readonly string[]
}

const findProgram = async (folder: Folder, needs: (name: string) => boolean): Promise<Program | undefined> => {
  const served = await findServed(folder)
  const server = served === undefined ? undefined : commandFor(served, needs)
  if (served !== undefined && server !== undefined)
    return {
      because: `${served.file} has ${served.target.split(':')[1]} for ${server.module}`,
      args: ['-m', server.module, ...server.args],
      steps: [],
    }
  const entry = await firstOf(folder, ['app.py', 'main.py', 'server.py', '__main__.py'])
  const only = (await folder.names()).filter((name) => name.endsWith('.py') && name !== 'setup.py' && isPlain(name))
  const file = entry ?? (only.length === 1 ? only[0] : undefined)
  return file === undefined ? undefined : { because: `${file} is there`, args: [file], entry: file, steps: [] }
}

const installSteps = async (folder: Folder, interpreter: string): Promise<readonly string[]> => {
  const hasRequirements = ((await folder.text('requirements.txt')) ?? '')
    .split('\n')
    .some((line) => /^\s*\w/.test(line))
  return hasRequirements && interpreter === 'python3'
    ? ['python3 -m venv .venv && .venv/bin/pip install -r requirements.txt, and begin command with .venv/bin/python']
    : []
}

const findWith = async (
  folder: Folder,
  find: (folder: Folder, needs: (name: string) => boolean) => Promise<Program | undefined>,
): Promise<Found | undefined> => {
  const program = await find(folder, await needsOf(folder))
  if (program === undefined) return undefined
  const interpreter = (await firstOf(folder, ['.venv/bin/python', 'venv/bin/python'])) ?? 'python3'
  const { because, args, entry, steps } = program
  return {
    language: 'Python',
    because,
    command: [interpreter, ...args],
    // What it prints is seen when it prints it, and its folder is not written to.
    env: { PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1' },
    entry,
    steps: [...(await installSteps(folder, interpreter)), ...steps],
  }
}

export const findDjangoProgram = (folder: Folder): Promise<Found | undefined> => findWith(folder, findDjango)

export const findPython = (folder: Folder): Promise<Found | undefined> => findWith(folder, findProgram)
