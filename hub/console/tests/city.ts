/// The sandbox city that the console is tried on: where it is, and who works there.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../../..')

export const city = {
  browser: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  program: process.env['SANDBOX_BIN'] ?? join(root, 'target/debug/sandbox'),
  folder: join(root, 'target/console-city'),
  screenshots: join(root, 'target/screenshots'),
  /// What the set-up learned of the running city.
  told: join(root, 'target/console-city.json'),
  cases: 3000,
} as const

export interface Told {
  console: string
  agent: string
  matter: string
  role: string
  kind: string
  number: string
  person: { role: string; name: string; birth: string; sex: string; phone: string }
}

export const told = (): Told => JSON.parse(readFileSync(city.told, 'utf8')) as Told

export const password = 'sandbox-2012-122'
export const people = { notary: 'gongzheng', analyst: 'fenxi', supervisor: 'jiandu', second: 'duban', operator: 'yunwei' } as const
