/// Refuses a package under a licence that is not allowed. The list is that of deny.toml, with what only npm's packages have.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const allowed = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'CC0-1.0', 'ISC', 'MIT', 'MPL-2.0', 'Python-2.0', 'Unlicense']

type Lock = { packages: Record<string, { license?: string }> }
const lock = JSON.parse(readFileSync(join(import.meta.dirname, '../package-lock.json'), 'utf8')) as Lock

const isAllowed = (licence: string): boolean =>
  licence
    .replace(/[()]/g, '')
    .split(' OR ')
    .some((either) => either.split(' AND ').every((one) => allowed.includes(one)))

const refused = Object.entries(lock.packages)
  .filter(([path]) => path !== '')
  .filter(([, { license }]) => license === undefined || !isAllowed(license))
  .map(([path, { license }]) => `${path}: ${license ?? 'none stated'}`)

if (refused.length > 0) {
  console.error(`licences that are not allowed:\n${refused.join('\n')}`)
  process.exit(1)
}
