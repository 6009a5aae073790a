import { defineConfig } from '@playwright/test'
import { city } from './tests/city'

export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  globalSetup: './tests/set-up.ts',
  fullyParallel: false,
  workers: 1,
  timeout: 90_000,
  expect: { timeout: 20_000 },
  reporter: [['list']],
  use: {
    baseURL: process.env['CONSOLE'] ?? '',
    ignoreHTTPSErrors: true,
    locale: 'zh-CN',
    timezoneId: 'America/New_York',
    launchOptions: { executablePath: city.browser, args: ['--no-sandbox'] },
  },
})
