/// Starts the city and waits until everything has arrived; ends it when the tests are over.
import { spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { city, type Told } from './city.ts'

const patience = 240_000

export default async function setUp(): Promise<() => Promise<void>> {
  rmSync(city.screenshots, { recursive: true, force: true })
  mkdirSync(city.screenshots, { recursive: true })
  const sandbox = spawn(city.program, ['--cases', String(city.cases), '--folder', city.folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  const ended = new Promise<void>((resolve) => sandbox.once('exit', () => resolve()))
  const told = await new Promise<Told>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`the city is not up:\n${said}`)), patience)
    sandbox.once('exit', (code) => reject(new Error(`the city ended (${code}):\n${said}`)))
    const hear = (chunk: Buffer): void => {
      said += chunk.toString()
      const told = read(said)
      if (!told) return
      clearTimeout(late)
      resolve(told)
    }
    sandbox.stdout.on('data', hear)
    sandbox.stderr.on('data', hear)
  })
  writeFileSync(city.told, JSON.stringify(told))
  return async () => {
    sandbox.kill('SIGTERM')
    await ended
  }
}

function read(said: string): Told | null {
  const at = /its look-ups +(https:\S+)\/check\?agent=(\d+)/.exec(said)
  const who = /to look up +(\S+) (\w+):(\w+):(\S+)/.exec(said)
  const person = /or by name +(\w+):([^:]+):birth=([\d-]+),sex=(\w+),phone=(\S+)/.exec(said)
  if (!at || !who || !person || !said.includes('Everything lives in')) return null
  const [, console = '', agent = ''] = at
  const [, matter = '', role = '', kind = '', number = ''] = who
  const [, of = '', name = '', birth = '', sex = '', phone = ''] = person
  return { console, agent, matter, role, kind, number, person: { role: of, name, birth, sex, phone } }
}
