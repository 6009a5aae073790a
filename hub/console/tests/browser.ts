/// What every test needs of a browser: signed in as somebody, and pages that are looked at.
import { expect, test as base, type Page } from '@playwright/test'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { city, password, told } from './city'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const sizes = { wide: { width: 1366, height: 768 }, phone: { width: 390, height: 844 } } as const

/// A page that fails its test when the browser has something to complain about: a fault, or what the policy forbids.
export const test = base.extend<{ page: Page }>({
  page: async ({ page }, use) => {
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      // A refusal, or nobody there, is part of what is tried, and is told to the reader.
      const refused = /^Failed to load resource: (the server responded with a status of 4\d\d|net::)/.test(message.text())
      if (message.type() === 'error' && !refused) complaints.push(message.text())
    })
    await page.setViewportSize(sizes.wide)
    await use(page)
    expect(complaints).toEqual([])
  },
})

export async function signIn(page: Page, login: string, path = '/'): Promise<void> {
  await page.goto(told().console + path)
  await page.getByLabel('用户名').fill(login)
  await page.getByLabel('密码', { exact: true }).fill(password)
  await page.getByRole('button', { name: '登录' }).click()
  await expect(page.getByRole('button', { name: '退出' })).toBeVisible()
}

/// Takes pictures at both widths, and has axe look for what shuts somebody out.
export async function look(page: Page, name: string): Promise<void> {
  await page.waitForLoadState('networkidle')
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport)
    await page.screenshot({ path: join(city.screenshots, `${name}-${size}.png`), fullPage: true })
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    expect(overflow, `${name} is wider than a ${size} screen`).toBeLessThanOrEqual(0)
  }
  await page.setViewportSize(sizes.wide)
  await page.evaluate(axe)
  type Found = { violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[] }
  const found = await page.evaluate(() => (window as unknown as { axe: { run(): Promise<Found> } }).axe.run())
  const serious = found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('; ')}`)
  expect(serious, name).toEqual([])
}

export { expect }
