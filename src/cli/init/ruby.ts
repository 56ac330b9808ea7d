// Ruby programs: Rails, what config.ru describes, or a single file.
import { type Folder, firstOf } from './folder.ts'
import type { Found } from './found.ts'

interface Program {
  readonly because: string
  readonly command: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly entry?: string
}

const listen = ['-o', '127.0.0.1', '-p', '{port}']

const found = async (folder: Folder, { because, command, env = {}, entry }: Program): Promise<Found> => {
  const hasGemfile = await folder.has('Gemfile')
  return {
    language: 'Ruby',
    because,
    command: hasGemfile ? ['bundle', 'exec', ...command] : command,
    env,
    entry,
    steps: hasGemfile ? ['bundle install'] : [],
  }
}

/** puma takes $PORT from Rails' own config/puma.rb; told a second time it would bind it twice. */
export const findRails = async (folder: Folder): Promise<Found | undefined> =>
  (await folder.has('bin/rails')) && (await folder.has('config/application.rb'))
    ? found(folder, {
        because: "bin/rails and config/application.rb are Rails'",
        command: ['puma'],
        env: { RAILS_ENV: 'production', RAILS_LOG_TO_STDOUT: '1' },
      })
    : undefined

export const findRuby = async (folder: Folder): Promise<Found | undefined> => {
  if (await folder.has('config.ru')) {
    const usesPuma = /\bpuma\b/.test((await folder.text('Gemfile')) ?? '') && !(await folder.has('config/puma.rb'))
    return found(folder, {
      because: 'config.ru is there',
      command: usesPuma ? ['puma', '-b', 'tcp://127.0.0.1:{port}'] : ['rackup', ...listen],
    })
  }
  const entry = await firstOf(folder, ['app.rb', 'main.rb', 'server.rb'])
  if (entry === undefined) return undefined
  const isSinatra = /require\s*["']sinatra["']/.test((await folder.text(entry)) ?? '')
  return isSinatra
    ? found(folder, { because: `${entry} is Sinatra's`, command: ['ruby', entry, ...listen] })
    : found(folder, { because: `${entry} is there`, command: ['ruby', entry], entry })
}
