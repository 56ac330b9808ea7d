// PHP programs: the folder that holds index.php, served by PHP's own server, one for each tenant.
import { type Folder, firstOf } from './folder.ts'
import type { Found } from './found.ts'

export const findPhp = async (folder: Folder): Promise<Found | undefined> => {
  const index = await firstOf(folder, ['public/index.php', 'web/index.php', 'index.php'])
  if (index === undefined) return undefined
  const root = index.includes('/') ? index.slice(0, index.indexOf('/')) : '.'
  const needsPackages = (await folder.has('composer.json')) && !(await folder.has('vendor'))
  return {
    language: 'PHP',
    because: `${index} is there`,
    command: ['php', '-S', '127.0.0.1:{port}', '-t', root],
    // One request at a time otherwise, an event stream being one for as long as it lasts (php.net, built-in web server).
    env: { PHP_CLI_SERVER_WORKERS: '4' },
    steps: needsPackages ? ['composer install'] : [],
  }
}
